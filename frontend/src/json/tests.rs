use serde_json::Value;

use super::Json;

/// As serde's own parser has it.
fn known(value: Value) -> Json {
    match value {
        Value::Null => Json::Nothing,
        Value::Bool(truth) => Json::Truth(truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Json::Whole(whole),
            None if number.as_f64() == Some(2.0) => Json::Whole(2),
            None => Json::Nothing,
        },
        Value::String(text) => Json::Text(text),
        Value::Array(items) => Json::List(items.into_iter().map(known).collect()),
        Value::Object(pairs) => Json::Object(pairs.into_iter().map(|(name, value)| (name, known(value))).collect()),
    }
}

#[test]
fn reads_what_serde_reads() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-17",
        "9007199254740993",
        "1.5",
        "2.0",
        "1e3",
        "\"\"",
        r#""a \"word\" \\ and a \/, \b\f\n\r\t""#,
        r#""\u00e9t\u00E9, \ud83d\ude80, œuvre, 日本""#,
        "[]",
        "[ ]",
        "[1,[2,[]],{}]",
        "{}",
        "{ \"a\" : [ 1 , null ] ,\n\t\"b\" : { \"\" : \"x\" } }",
    ] {
        let value = serde_json::from_str(text).unwrap();
        assert_eq!(Json::from_text(text), Some(known(value)), "{text}");
    }
    assert_eq!(Json::from_text(""), Some(Json::Nothing), "an answer without a body");
    assert_eq!(Json::from_text(r#""\ud83d!""#), Some(Json::Text("\u{fffd}!".into())));
}

#[test]
fn refuses_what_is_no_json() {
    for text in [
        " ",
        "nul",
        "{",
        "[",
        "[1",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "\"",
        "\"\\",
        "\"\\u12\"",
        "\"\\uzzzz\"",
        "1 2",
        "<html>",
        "undefined",
        "\"é",
        "\"\\é\"",
    ] {
        assert_eq!(Json::from_text(text), None, "{text}");
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
    }
}
