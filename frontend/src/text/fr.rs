//! La page en français. L’usage typographique est celui du Canada : espace avant le deux-points seulement.

mod phrases;
mod words;

use shared::options::{FieldError, Interface, Problem, UserOptions};
use shared::server::{EndCause, EndView, Phase};

use self::phrases::{at, date, holdings, lower_first, memory, moment, since, until};
use self::words::WORDS;
use super::format::{NBSP, duration, gb_up, span};
use super::{Fixed, Reason, Text, When};

/// French.
pub(super) struct French;

fn name(interface: Interface) -> &'static str {
    super::interface_words(&French, interface).0
}

impl Text for French {
    fn words(&self) -> &'static Fixed {
        &WORDS
    }
    fn silent(&self, when: &When) -> String {
        format!("injoignable {}", since(when))
    }
    fn as_of(&self, when: &When) -> String {
        format!(
            "Slurm ne répond plus {}. Ce que vous voyez date de ce moment.",
            since(when)
        )
    }

    fn internal(&self, request_id: &str) -> String {
        if request_id.is_empty() {
            "Un problème est survenu de notre côté. S’il se répète, écrivez à l’assistance.".to_owned()
        } else {
            format!(
                "Un problème est survenu de notre côté. S’il se répète, donnez ce numéro à l’assistance\u{a0}: {request_id}."
            )
        }
    }

    fn ends_soon(&self, when: &When) -> String {
        format!("Votre connexion prend fin {}.", at(when))
    }
    fn throttled(&self, seconds: i64) -> String {
        format!("Trop de mots de passe inexacts. Réessayez dans {}.", span(seconds))
    }

    fn no_association_title(&self, cluster: &str) -> String {
        format!("Vous n’avez pas accès à {cluster}")
    }
    fn enable_access(&self, cluster: &str) -> String {
        format!("Activez votre accès à {cluster}")
    }
    fn date(&self, when: &When) -> String {
        format!("le {} {}", date(when), when.year)
    }
    fn inactive_since(&self, since: &str) -> String {
        format!("Inactif depuis {since}.")
    }
    fn not_yours(&self, owner: &str, me: &str) -> String {
        format!("C’est celui de {owner}. Votre nom d’utilisateur est {me}.")
    }

    fn request(&self, options: &UserOptions, end: &When) -> String {
        format!(
            "{} pendant {}, {}, {}",
            name(options.interface),
            duration(options.time.get().into(), ','),
            until(end),
            holdings(options)
        )
    }
    fn request_plain(&self, options: &UserOptions) -> String {
        format!(
            "{} pendant {}, {}",
            name(options.interface),
            duration(options.time.get().into(), ','),
            holdings(options)
        )
    }
    fn left(&self, seconds: i64) -> String {
        format!("Reste {}", span(seconds))
    }
    fn memory(&self, mib: u64) -> String {
        memory(mib)
    }
    fn at(&self, when: &When) -> String {
        moment(when)
    }
    fn last_one(&self, end: &EndView) -> String {
        format!("Le dernier\u{a0}: {}", self.end(end))
    }

    fn time_hint(&self, min: u64, max: u64) -> String {
        format!(
            "De {} à {}. Écrivez 3, 1,5 ou 1:30.",
            duration(min, ','),
            duration(max, ',')
        )
    }
    fn cores_hint(&self, min: u64, max: u64) -> String {
        format!("De {min} à {max}, sur un même nœud.")
    }
    fn memory_hint(&self, min: u64, max: u64) -> String {
        format!("De {} à {}, pour l’ensemble de la tâche.", gb_up(min, ','), memory(max))
    }
    fn until(&self, when: &When) -> String {
        until(when).replacen('j', "J", 1)
    }
    fn hours(&self, minutes: u64) -> String {
        duration(minutes, ',')
    }
    fn per_core(&self, per_core: u64, total: u64) -> String {
        format!("{} par cœur\u{a0}: {}", memory(per_core), memory(total))
    }
    fn gpu_up_to(&self, max: u32) -> String {
        format!("Jusqu’à {max} par nœud.")
    }
    fn problem(&self, error: &FieldError) -> String {
        let field = error.field.as_str();
        let amount = |n: u64| match field {
            "time" => duration(n, ','),
            "memory" => memory(n),
            _ => n.to_string(),
        };
        let what = match field {
            "account" => "Le compte de calcul",
            "time" => "La durée",
            "cores" => "Le nombre de cœurs",
            "memory" => "La mémoire",
            "gpu" => "Le GPU",
            "interface" => "L’interface",
            other => return format!("Il n’y a pas d’option «{NBSP}{other}{NBSP}»."),
        };
        match error.problem {
            Problem::Unknown => format!("Il n’y a pas d’option «{NBSP}{field}{NBSP}»."),
            Problem::Missing => format!("{what} est à préciser."),
            Problem::Malformed => match field {
                "time" => "Écrivez la durée en heures, par exemple 3, 1,5 ou 1:30.".to_owned(),
                "cores" => "Écrivez le nombre de cœurs en entier, par exemple 4.".to_owned(),
                "memory" => "Écrivez la mémoire en Go, par exemple 8 ou 1,5.".to_owned(),
                _ => format!("{what} n’est pas compréhensible."),
            },
            Problem::TooSmall { min } if field == "memory" => {
                format!("{what} est d’au moins {}{NBSP}Go.", gb_up(min, ','))
            }
            Problem::TooSmall { min } => format!("{what} est d’au moins {}.", amount(min)),
            Problem::TooLarge { max } => format!("{what} est d’au plus {}.", amount(max)),
            Problem::NotOffered => format!("{what} ne fait pas partie de vos choix."),
            Problem::NoSuchNode { max: 0 } => "Aucun nœud en service n’a ce GPU.".to_owned(),
            Problem::NoSuchNode { max } => {
                format!(
                    "Aucun nœud n’a tout cela à la fois. {what} peut aller jusqu’à {}.",
                    amount(max)
                )
            }
        }
    }

    fn step_starting(&self, node: Option<&str>) -> String {
        node.map_or_else(
            || "Démarrage sur un nœud".to_owned(),
            |node| format!("Démarrage sur {node}"),
        )
    }
    fn phase(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Submitting => "Envoi de votre demande",
            Phase::Queued => "Dans la file d’attente",
            Phase::Starting => "Démarrage sur le nœud",
            Phase::Ready => "Prêt",
            Phase::Stopping => "Arrêt en cours",
            Phase::Ended => "Terminé",
        }
    }
    fn reason(&self, reason: &Reason<'_>) -> String {
        match reason {
            Reason::NotYet => "Slurm n’a pas encore examiné la tâche.",
            Reason::Priority => "D’autres tâches passent avant la vôtre.",
            Reason::Resources => "La tâche attend que des cœurs, de la mémoire ou des GPU se libèrent.",
            Reason::OtherJob => "La tâche attend la fin d’une autre de vos tâches.",
            Reason::HeldByYou => "Vous avez suspendu cette tâche. «\u{a0}scontrol release\u{a0}» la libère.",
            Reason::HeldByStaff => "L’équipe de la grappe a suspendu cette tâche. Écrivez à l’assistance.",
            Reason::NotBefore => "L’heure de son début n’est pas encore venue.",
            Reason::TooMuch => "La tâche demande plus que ce que donne cette partie de la grappe. Elle ne démarrera pas ainsi.",
            Reason::Closed => "Cette partie de la grappe est fermée pour le moment.",
            Reason::NodesAway => "Les nœuds qu’il lui faut sont en panne ou réservés, peut-être pour un entretien.",
            Reason::PersonLimit => "Vous utilisez déjà tout ce qu’une personne peut utiliser à la fois. La tâche démarrera à la fin d’une autre.",
            Reason::AccountLimit => "Ce compte de calcul utilise déjà tout ce qu’il peut utiliser à la fois.",
            Reason::Other(word) => return format!("Motif donné par Slurm\u{a0}: {word}."),
        }
        .to_owned()
    }
    fn expected(&self, when: &When) -> String {
        format!("Slurm prévoit un démarrage {}.", at(when))
    }
    fn waited(&self, waited: i64, left: Option<i64>) -> String {
        let waited = format!("En attente depuis {}.", span(waited));
        match left {
            Some(left) if left > 0 => {
                format!("{waited} Sans démarrage d’ici {}, la demande sera retirée.", span(left))
            }
            _ => waited,
        }
    }
    fn told(&self, seconds: i64) -> String {
        format!("Slurm l’a dit il y a {}.", span(seconds))
    }
    fn starting_for(&self, seconds: i64) -> String {
        format!(
            "La tâche tourne depuis {}. Jupyter démarre d’habitude en moins d’une minute.",
            span(seconds)
        )
    }
    fn no_news(&self, seconds: i64, when: &When) -> String {
        format!(
            "Pas de nouvelles depuis {}. Voici l’état connu {}. Nouvel essai en cours…",
            span(seconds),
            at(when)
        )
    }

    fn end(&self, end: &EndView) -> String {
        match &end.cause {
            EndCause::GaveUp { reason } => format!(
                "La tâche n’a pas démarré à temps et a été retirée. Ce qui la retenait\u{a0}: {}",
                lower_first(&self.reason(&Reason::from_slurm(reason.as_deref())))
            ),
            EndCause::Cancelled if end.was_ready => "Il a été arrêté.".to_owned(),
            EndCause::Cancelled => "Il a été annulé avant d’être prêt.".to_owned(),
            EndCause::Refused { .. } => "Slurm a refusé la demande.".to_owned(),
            EndCause::Unreachable => "Slurm était injoignable. Aucune tâche n’a été créée.".to_owned(),
            EndCause::Lost => {
                "La réponse de Slurm s’est perdue, et aucune tâche de ce démarrage n’a été trouvée.".to_owned()
            }
            EndCause::JupyterMissing => "Jupyter est introuvable sur le nœud.".to_owned(),
            EndCause::SetupFailed => "La préparation de Jupyter par la grappe a échoué.".to_owned(),
            EndCause::NoPort => "Aucun port n’était libre sur le nœud.".to_owned(),
            EndCause::PortNotTold => "La tâche n’a pas pu dire où la joindre.".to_owned(),
            EndCause::JupyterFailed { exit_code } => {
                format!("Jupyter s’est terminé par une erreur (code de sortie {exit_code}).")
            }
            EndCause::Finished => "Jupyter a été fermé.".to_owned(),
            EndCause::TimeLimit => "Son temps était écoulé.".to_owned(),
            EndCause::OutOfMemory => "Il a utilisé plus de mémoire que demandé.".to_owned(),
            EndCause::NodeFailed => "Le nœud où il tournait est tombé en panne.".to_owned(),
            EndCause::Preempted => "Il a dû céder sa place à une autre tâche.".to_owned(),
            EndCause::Other { slurm_state } => format!("Slurm y a mis fin ({slurm_state})."),
        }
    }
    fn advice(&self, cause: &EndCause) -> &'static str {
        match cause {
            EndCause::GaveUp { .. } => {
                "Demandez moins de temps, de cœurs ou de mémoire, ou réessayez plus tard. Si vous avez une autre tâche interactive, mettez-y fin d’abord."
            }
            EndCause::Refused { .. } => "Corrigez ce que Slurm indique, puis redémarrez.",
            EndCause::Unreachable | EndCause::Lost => "Rien n’est imputé. Réessayez dans une minute.",
            EndCause::JupyterMissing | EndCause::SetupFailed | EndCause::PortNotTold => {
                "Vous n’y êtes pour rien. Écrivez à l’assistance en donnant le numéro de la tâche."
            }
            EndCause::NoPort => "Réessayez\u{a0}: la tâche ira peut-être sur un autre nœud.",
            EndCause::JupyterFailed { .. } => {
                "La fin de la sortie de la tâche dit pourquoi. Un dossier personnel plein ou un paquet cassé sont des causes fréquentes."
            }
            EndCause::TimeLimit => {
                "Les fichiers sont tels qu’à leur dernier enregistrement. Demandez plus de temps s’il vous en faut."
            }
            EndCause::OutOfMemory => {
                "Les fichiers sont tels qu’à leur dernier enregistrement. Demandez plus de mémoire."
            }
            EndCause::NodeFailed | EndCause::Preempted => {
                "Les fichiers sont tels qu’à leur dernier enregistrement. Redémarrez quand vous voulez."
            }
            EndCause::Cancelled | EndCause::Finished => "Les fichiers sont tels qu’à leur dernier enregistrement.",
            EndCause::Other { .. } => {
                "Réessayez. Si cela se répète, écrivez à l’assistance en donnant le numéro de la tâche."
            }
        }
    }
    fn job(&self, id: u64) -> String {
        format!("Tâche {id}")
    }
}
