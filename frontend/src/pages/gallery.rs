//! `/hub/gallery`, in debug builds only (`make dev`): every component in its states, for whoever changes how they look.
//! What needs a server or a sign-in, the pretend cluster's people show, who are named after it.

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::{FieldError, OtherJob, Problem};

use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt};
use crate::components::{
    Alert, Amount, Button, ButtonLink, Buttons, Choice, ErrorSummary, Field, Item, Literally, Meaning, Notice,
    Paragraph, QUIET, SECOND, Select, SlurmWords, Step, Steps, Trouble, facts, input, other_jobs,
};
use crate::element::el;
use crate::task::{callback, memo};
use crate::text::Words;

/// The page.
#[component]
pub(crate) fn Gallery() -> Built {
    let parts = vec![
        part("Buttons", buttons()),
        part("Notices", notices()),
        part("Fields", fields()),
        part("Choices", choices()),
        part("Steps", steps()),
        part("Texts", texts()),
        part("A server", server()),
        part("Jobs", jobs()),
        part("Failures", failures()),
    ];
    view! {
        <Heading text=say("Gallery") />
        {parts}
    }
    .built()
}

fn say(text: &str) -> Signal<String> {
    Signal::stored(text.to_owned())
}

fn part(name: &str, of_it: Vec<Built>) -> Built {
    let section = el("section").class("card").child(el("h2").text(name));
    section.children(of_it).built()
}

fn nothing() -> Callback<()> {
    callback(|| {})
}

fn buttons() -> Vec<Built> {
    let buttons = view! {
        <Buttons>
            <Button label=say("The one thing to do") press=nothing() />
            <Button label=say("Under way") press=nothing() busy=Signal::stored(true) />
            <Button class=SECOND label=say("Something else") press=nothing() />
            <Button class=QUIET label=say("Something small") press=nothing() />
            <ButtonLink class=SECOND label=say("A link") href=say("#main") />
        </Buttons>
    };
    vec![buttons.built()]
}

fn notices() -> Vec<Built> {
    let notice = |meaning, text| {
        view! {
            <Notice meaning>
                <Paragraph text=say(text) />
                <Paragraph text=say("And what to do about it, in a second sentence.") />
            </Notice>
        }
        .built()
    };
    vec![
        notice(Meaning::Information, "To know."),
        notice(Meaning::Caution, "Take care."),
        notice(Meaning::Bad, "It went wrong."),
        view! { <Alert text=say("The server does not answer.") /> }.built(),
    ]
}

fn fields() -> Vec<Built> {
    let (right, wrong) = (
        Signal::stored(None),
        Signal::stored(Some("Cores can be at most 8.".to_owned())),
    );
    let errors = memo(|| {
        vec![FieldError {
            field: "cores".into(),
            problem: Problem::TooLarge { max: 8 },
        }]
    });
    let values = (RwSignal::new("3".to_owned()), RwSignal::new("800".to_owned()));
    let picks = vec![(say("1 h"), say("1")), (say("3 h"), say("3"))];
    vec![
        view! { <ErrorSummary errors attempt=RwSignal::new(0) /> }.built(),
        view! {
            <Field id="name" label=say("Name") hint=say("As on the cluster.") error=right>
                {input("name", true, right).class("field__input").built()}
            </Field>
        }
        .built(),
        view! {
            <Amount
                id="time"
                label=say("Time, in hours")
                hint=say("From 1 min to 8 h.")
                error=right
                value=values.0
                answer=say("Until 16:20")
                picks
            />
        }
        .built(),
        view! {
            <Amount id="cores" label=say("Cores") hint=say("From 1 to 8.") error=wrong value=values.1 />
        }
        .built(),
    ]
}

fn choices() -> Vec<Built> {
    let items = || {
        let about = |text| Item {
            mark: say("recommended"),
            about: say("Notebooks, files, consoles and terminals in one window."),
            ..Item::plain(text, say(text))
        };
        vec![about("JupyterLab"), Item::plain("Notebook", say("Notebook"))]
    };
    let wrong = Signal::stored(Some("Choose one.".to_owned()));
    let options = vec![
        ("a".to_owned(), say("def-ada (default)")),
        ("b".to_owned(), say("rrg-ada")),
    ];
    vec![
        view! {
            <Choice
                id="interface"
                legend=say("Interface")
                error=Signal::stored(None)
                value=RwSignal::new("JupyterLab".to_owned())
                items=items()
            />
        }
        .built(),
        view! {
            <Choice id="other" legend=say("The same, wrong") error=wrong value=RwSignal::new(String::new()) items=items() />
        }
        .built(),
        view! {
            <Select id="account" class="field__input" name=say("Account") value=RwSignal::new("a".to_owned()) items=options />
        }
        .built(),
    ]
}

fn steps() -> Vec<Built> {
    let step = |name, details: Option<&'static str>| Step {
        name: say(name),
        details: details.map(|text| -> Box<dyn Fn() -> Built + Send> {
            Box::new(move || view! { <Paragraph text=say(text) /> }.built())
        }),
    };
    let steps = vec![
        step("Request sent", None),
        step("In the queue", Some("Other jobs are ahead of this one in the queue.")),
        step("Starting", None),
        step("Opening", None),
    ];
    vec![view! { <Steps steps current=memo(|| 1) /> }.built()]
}

fn texts() -> Vec<Built> {
    let refused = "Batch job submission failed: Invalid account or account/partition combination specified".to_owned();
    vec![
        view! { <Paragraph class="request" text=say("JupyterLab for 3 h, until 15:42, charged to rrg-x.") /> }.built(),
        view! { <Paragraph class="quiet" text=say("Something that is not important.") /> }.built(),
        view! { <Paragraph class="waiting" text=say("One moment…") /> }.built(),
        view! { <Literally text=say("The job’s output is in") code="/home/ada/slipway-4711.log".to_owned() /> }.built(),
        view! { <SlurmWords lead=say("Slurm’s own words:") slurm=refused /> }.built(),
    ]
}

fn server() -> Vec<Built> {
    let state = |meaning: &str, name: &str| {
        let state = el("span").class(&format!("state state--{meaning}")).text(name);
        el("p").child(state).built()
    };
    vec![
        state("good", "Running"),
        state("bad", "Slurm does not answer"),
        facts(vec![
            (say("Node"), Some("gpu04".into())),
            (say("Left out, as it has no value"), None),
            (
                say("Account"),
                Some("a-name-that-is-as-long-as-the-cluster-lets-it-be_gpu".into()),
            ),
        ]),
    ]
}

fn jobs() -> Vec<Built> {
    let job = |id, kind: &str, running| OtherJob {
        id,
        kind: kind.to_owned(),
        running,
        ends_at: None,
    };
    let jobs = [
        job(4711, "salloc", true),
        job(4712, "an interactive job with a long name", false),
    ];
    let user = UserName::new("ada").ok();
    let list = user.and_then(|user| other_jobs(Words::get(), &user, &jobs));
    list.into_iter().collect()
}

fn failures() -> Vec<Built> {
    let failure = |failure| view! { <Trouble failure retry=nothing() /> }.built();
    vec![failure(Failure::NoServer), failure(Failure::NotUnderstood)]
}

#[cfg(test)]
mod tests {
    use crate::Draft;

    #[test]
    fn the_gallery_shows_something_of_every_part_in_both_languages() {
        for (language, again) in [("en", "Try again"), ("fr", "Réessayer")] {
            let html = Draft {
                base: "/",
                path: "/hub/gallery",
                language,
                ..Draft::default()
            }
            .html();
            let parts: Vec<_> = html.split("<section class=\"card\"><h2>").skip(1).collect();
            assert_eq!(parts.len(), 9, "{html}");
            for part in parts {
                let (name, shown) = part.split_once("</h2>").unwrap();
                assert!(!shown.starts_with("</section>"), "{name} shows nothing");
            }
            assert!(html.contains(again), "{html}");
        }
    }
}
