//! What is checked before anything reaches a component. Every message names the argument, its limit and the rule.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{BulkAction, Filter, Micros, RerunRequest, RuntimeStatus, StartRequest};

const START_ID_BYTES: usize = 64;
const ID_BYTES: usize = 256;
const NAME_BYTES: usize = 256;
/// The most states that one page of a listing holds.
pub(crate) const PAGE_LIMIT: usize = 1000;
const START_TIME: &str = "dapr.workflow.start_time";

/// An id that a client may start: Dapr's rule, so that the same program runs there.
pub(crate) fn start_id(id: &str) -> Result<()> {
    // Dapr checks with Go's unicode.IsLetter and IsDigit, which are narrower than Rust's alphanumeric.
    let allowed = |c: char| {
        c == '_'
            || c == '-'
            || c.general_category_group() == GeneralCategoryGroup::Letter
            || c.general_category() == unicode_properties::GeneralCategory::DecimalNumber
    };
    if (1..=START_ID_BYTES).contains(&id.len()) && id.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the instance ID takes 1 to {START_ID_BYTES} bytes of letters, digits, '_' and '-', and this one {}",
        if id.is_empty() {
            "is empty; leave it out to have one generated".to_owned()
        } else if id.len() > START_ID_BYTES {
            format!("has {} bytes", id.len())
        } else {
            format!("has {:?}", id.chars().find(|c| !allowed(*c)).unwrap_or_default())
        }
    )))
}

/// An id of an instance that may be there already; children have ids of other forms than clients may choose.
pub(crate) fn id(id: &str) -> Result<()> {
    let fault = if id.is_empty() {
        "is empty".to_owned()
    } else if id.len() > ID_BYTES {
        format!("has {} bytes", id.len())
    } else if id.contains('/') || id.contains(char::is_control) {
        "has one of them".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(format!(
        "the instance ID takes 1 to {ID_BYTES} bytes without '/' and control characters, and this one {fault}"
    )))
}

/// A name of a workflow, event, component, version or tag.
pub(crate) fn name(what: &str, name: &str) -> Result<()> {
    let fault = if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > NAME_BYTES {
        format!("has {} bytes", name.len())
    } else if name.contains(char::is_control) {
        "has a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(format!(
        "the {what} name takes 1 to {NAME_BYTES} bytes without control characters, and this one {fault}"
    )))
}

/// A payload's size.
pub(crate) fn payload(what: &str, payload: Option<&String>, max_bytes: usize) -> Result<()> {
    match payload {
        Some(text) if text.len() > max_bytes => Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!(
                "the {what} has {} bytes and the limit is {max_bytes}; pass a reference to it, or raise max_payload_bytes",
                text.len()
            ),
        )),
        _ => Ok(()),
    }
}

/// A rerun: its two ids, the event, payload.
pub(crate) fn rerun(request: &RerunRequest, max_bytes: usize) -> Result<()> {
    if request.from_event < 0 {
        return Err(Error::invalid(format!(
            "from_event takes the ID of an event that the workflow asked for, 0 or more, and this one is {}",
            request.from_event
        )));
    }
    if let Some(new) = &request.new_instance_id {
        start_id(new)?;
        if *new == request.instance_id {
            return Err(Error::invalid(
                "the new instance ID is that of the instance to rerun; choose another one",
            ));
        }
    }
    payload("input", request.input.as_ref().and_then(Option::as_ref), max_bytes)
}

/// A start: names, id, payload, options; understands `dapr.workflow.start_time`.
pub(crate) fn start(request: &mut StartRequest, max_bytes: usize) -> Result<()> {
    name("workflow", &request.name)?;
    if let Some(id) = &request.instance_id {
        start_id(id)?;
    }
    if let Some(version) = &request.version {
        name("version", version)?;
    }
    for tag in request.tags.keys() {
        name("tag", tag)?;
    }
    payload("input", request.input.as_ref(), max_bytes)?;
    if let Some(option) = request.options.keys().find(|option| *option != START_TIME) {
        let option: String = option.chars().take(64).collect();
        return Err(Error::new(
            ErrorKind::NotImplemented,
            format!("the option {option:?} is not known to any runtime; the only one is {START_TIME:?}"),
        ));
    }
    if let Some(text) = request.options.remove(START_TIME) {
        if request.start_at.is_some() {
            return Err(Error::invalid(format!(
                "start_at and the option {START_TIME:?} are both given; give one"
            )));
        }
        request.start_at = Some(start_time(&text)?);
    }
    Ok(())
}

fn start_time(text: &str) -> Result<Micros> {
    super::time::parse_rfc3339(text).ok_or_else(|| {
        Error::invalid(format!(
            "the option {START_TIME:?} takes an RFC 3339 time with a zone, for example \"2009-11-10T23:00:00Z\""
        ))
    })
}

/// A filter of a listing.
pub(crate) fn filter(filter: &Filter) -> Result<()> {
    if let Some(workflow) = &filter.name {
        name("workflow", workflow)?;
    }
    if let Some(parent) = &filter.parent {
        id(parent)?;
    }
    if filter.statuses.iter().any(|status| matches!(status, RuntimeStatus::Unknown(_))) {
        return Err(Error::invalid("the filter has a status without a name; use those of RuntimeStatus"));
    }
    match (filter.created_from, filter.created_to) {
        (Some(from), Some(to)) if from > to => Err(Error::invalid("created_from is later than created_to")),
        _ => Ok(()),
    }
}

/// A filter of a bulk operation, which concerns some statuses only.
pub(crate) fn bulk(action: &BulkAction, filter: &Filter) -> Result<()> {
    self::filter(filter)?;
    let Some(status) = filter.statuses.iter().find(|status| !action.concerns(**status)) else {
        return Ok(());
    };
    let takes = RuntimeStatus::ALL.into_iter().filter(|status| action.concerns(*status));
    let takes = takes.map(RuntimeStatus::name).collect::<Vec<_>>().join(", ");
    Err(Error::invalid(format!("{} takes the statuses {takes}, not {status}", action.operation())))
}

/// The size of a page.
pub(crate) fn limit(limit: usize) -> Result<()> {
    if (1..=PAGE_LIMIT).contains(&limit) {
        return Ok(());
    }
    Err(Error::invalid(format!("the limit of a page is 1 to {PAGE_LIMIT}, not {limit}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(result: Result<()>) -> bool {
        matches!(result, Err(error) if error.kind() == ErrorKind::InvalidArgument)
    }

    #[test]
    fn ids_to_start_follow_daprs_rule() {
        for good in ["a", "order-7", "A_b", "ünïcode", "注文", "٣", &"x".repeat(64)] {
            assert!(start_id(good).is_ok(), "{good}");
        }
        // Marks, letter numbers and other numbers are no letters and no digits for Dapr.
        for bad in [
            "",
            "a b",
            "a:b",
            "a/b",
            "a.b",
            "a\n",
            "Ⅷ",
            "½",
            "a\u{345}",
            "🦀",
            &"x".repeat(65),
            &"ü".repeat(33),
        ] {
            assert!(refused(start_id(bad)), "{bad}");
        }
    }

    #[test]
    fn ids_of_instances_that_exist_are_wider() {
        for good in ["parent:0011aabb0001", "a b", "a.b", &"x".repeat(256)] {
            assert!(id(good).is_ok(), "{good}");
        }
        for bad in ["", "a/b", "a\0", "a\u{85}", &"x".repeat(257)] {
            assert!(refused(id(bad)), "{bad}");
        }
    }

    #[test]
    fn names_are_short_and_printable() {
        for good in ["a", "Order Processing", "ns.Name/v1", &"x".repeat(256)] {
            assert!(name("workflow", good).is_ok());
        }
        for bad in ["", "a\tb", &"x".repeat(257)] {
            assert!(refused(name("workflow", bad)));
        }
    }

    #[test]
    fn a_payload_at_the_limit_passes_and_one_beyond_names_both_sizes() {
        assert!(payload("input", None, 3).is_ok());
        assert!(payload("input", Some(&"abc".to_owned()), 3).is_ok());
        let error = payload("input", Some(&"abcd".to_owned()), 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
        assert!(error.message().contains("4 bytes") && error.message().contains("limit is 3"));
        assert!(!error.message().contains("abcd"));
    }

    #[test]
    fn the_start_time_option_becomes_start_at() {
        let mut request = StartRequest { name: "w".into(), ..StartRequest::default() };
        request.options.insert(START_TIME.into(), "2009-11-10T23:00:00Z".into());
        start(&mut request, 10).unwrap();
        assert_eq!(request.start_at, Some(Micros::from_millis(1_257_894_000_000)));
        assert!(request.options.is_empty());
        request.options.insert(START_TIME.into(), "2009-11-10T23:00:00Z".into());
        assert!(refused(start(&mut request, 10)));
        request.start_at = None;
        request.options.insert(START_TIME.into(), "tomorrow".into());
        assert!(refused(start(&mut request, 10)));
        request.options.insert("other".into(), "x".into());
        let error = start(&mut request, 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented);
        assert!(error.message().contains("other"));
    }

    #[test]
    fn filters_are_checked() {
        let of = |statuses: &[RuntimeStatus]| Filter { statuses: statuses.to_vec(), ..Filter::default() };
        assert!(filter(&of(&[RuntimeStatus::Running, RuntimeStatus::Completed])).is_ok());
        assert!(refused(filter(&of(&[RuntimeStatus::Unknown(42)]))));
        assert!(refused(filter(&Filter { parent: Some("a/b".into()), ..Filter::default() })));
        let range = |from, to| Filter {
            created_from: Some(Micros(from)),
            created_to: Some(Micros(to)),
            ..Filter::default()
        };
        assert!(filter(&range(1, 2)).is_ok() && refused(filter(&range(2, 1))));
        assert!(refused(filter(&Filter { name: Some(String::new()), ..Filter::default() })));
        assert!(refused(limit(0)) && refused(limit(PAGE_LIMIT + 1)) && limit(1).is_ok());
    }

    #[test]
    fn a_bulk_action_takes_the_statuses_that_it_concerns() {
        use RuntimeStatus::*;
        for (action, fits) in [
            (BulkAction::Purge, vec![Completed, Failed, Canceled, Terminated]),
            (
                BulkAction::Terminate { output: None, recursive: true },
                vec![Running, ContinuedAsNew, Pending, Suspended, Stalled],
            ),
            (BulkAction::Pause { reason: None }, vec![Running, Pending]),
            (BulkAction::Resume { reason: None }, vec![Suspended, Stalled]),
        ] {
            assert!(bulk(&action, &Filter::default()).is_ok());
            for status in RuntimeStatus::ALL {
                let filter = Filter { statuses: vec![fits[0], status], ..Filter::default() };
                assert_eq!(refused(bulk(&action, &filter)), !fits.contains(&status), "{action:?} {status}");
            }
        }
    }
}
