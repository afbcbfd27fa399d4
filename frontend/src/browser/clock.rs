//! The time, in the browser's time zone.

use std::time::Duration;

use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::text::format::When;

/// Seconds since 1970, by the browser's clock.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit an i64")]
pub(crate) fn now() -> i64 {
    (Date::now() / 1000.0) as i64
}

/// A moment as it is told to a person.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "seconds since 1970 are exact in an f64 for as long as anybody runs this"
)]
pub(crate) fn when(seconds: i64) -> When {
    let date = Date::new(&JsValue::from_f64(seconds as f64 * 1000.0));
    let midnight = |date: &Date| Date::new_with_year_month_day(date.get_full_year(), month(date), day(date)).get_time();
    let days = (midnight(&date) - midnight(&Date::new_0())) / 86_400_000.0;
    When {
        hour: date.get_hours(),
        minute: date.get_minutes(),
        days_away: days.round() as i64,
        year: date.get_full_year(),
        day: date.get_date(),
        month: date.get_month() as usize,
        utc: false,
    }
}

#[expect(clippy::cast_possible_wrap, reason = "0 to 11")]
fn month(date: &Date) -> i32 {
    date.get_month() as i32
}

#[expect(clippy::cast_possible_wrap, reason = "1 to 31")]
fn day(date: &Date) -> i32 {
    date.get_date() as i32
}

/// The time, told again each `seconds` for as long as the component lives.
pub(crate) fn ticking(seconds: u64) -> ReadSignal<i64> {
    let (time, set_time) = signal(now());
    every(seconds, move || set_time.set(now()));
    time
}

/// Does something each `seconds` for as long as the component lives.
pub(crate) fn every(seconds: u64, task: impl Fn() + 'static) {
    let task: Box<dyn Fn()> = Box::new(task);
    if let Ok(interval) = set_interval_with_handle(task, Duration::from_secs(seconds)) {
        on_cleanup(move || interval.clear());
    }
}
