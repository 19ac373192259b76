//! One file, several clients: of one process, and of two.

use everstep::engine::store::Durability;
use everstep::testkit::scratch::Scratch;
use everstep::{ClientOptions, ErrorKind};

use crate::orders;

#[test]
fn clients_of_one_process_share_the_engine() {
    let scratch = Scratch::new();
    let endpoint = format!("sqlite:{}", scratch.path("a.db").display());
    let (first, second) = (orders::open(&endpoint).unwrap(), orders::open(&endpoint).unwrap());
    let _workers = orders::workers(&second, None);
    orders::start(&first, "leaf", "leaf-0", None).unwrap();
    assert_eq!(orders::result(&second, "leaf-0").unwrap().as_deref(), Some("1"));
    first.close();
    assert_eq!(orders::start(&first, "leaf", "leaf-1", None).unwrap_err().kind(), ErrorKind::Closed);
    orders::start(&second, "leaf", "leaf-1", None).unwrap();
    assert_eq!(orders::result(&second, "leaf-1").unwrap().as_deref(), Some("1"));
}

#[test]
fn clients_of_one_process_have_one_durability() {
    let scratch = Scratch::new();
    let endpoint = format!("sqlite:{}", scratch.path("a.db").display());
    let process = ClientOptions::at(&endpoint).durability(Durability::Process);
    let first = orders::open(&endpoint).unwrap();
    let error = orders::open_with(process.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FailedPrecondition, "{error}");
    assert!(error.message().contains("durability"), "{error}");
    // The last client takes the engine with it.
    first.close();
    let second = orders::open_with(process).unwrap();
    orders::start(&second, "leaf", "leaf-0", None).unwrap();
}

#[cfg(unix)]
mod of_two_processes {
    use everstep::model::BulkAction;
    use everstep::runtime::wait_on;
    use everstep::worker::Worker;
    use everstep::{Error, Result};

    use super::*;
    use crate::child::{Child, Files};

    /// A name of the file through a link.
    #[test]
    fn a_file_has_one_engine_by_whatever_name() {
        let scratch = Scratch::new();
        let (directory, link) = (scratch.path("real"), scratch.path("link"));
        std::fs::create_dir(&directory).unwrap();
        std::os::unix::fs::symlink(&directory, &link).unwrap();
        let first = orders::open(&format!("sqlite:{}/a.db", directory.display())).unwrap();
        let second = orders::open(&format!("sqlite:{}/a.db", link.display())).unwrap();
        let _workers = orders::workers(&first, None);
        orders::start(&second, "leaf", "leaf-0", None).unwrap();
        assert_eq!(orders::result(&first, "leaf-0").unwrap().as_deref(), Some("1"));
    }

    #[test]
    fn the_second_process_reads_and_is_told_who_owns_the_file() {
        let scratch = Scratch::new();
        let files = Files::begin(&scratch);
        let mut owner = Child::begin("own", &files, 0);
        owner.await_ready();
        let client = orders::open(&files.endpoint()).unwrap();
        let id = "box-0-0";
        let state = wait_on(client.get(None, id, true), None).unwrap();
        assert_eq!((state.name.as_str(), state.input.as_deref()), ("box", Some("[]")));
        let page = wait_on(client.list(None, Default::default()), None).unwrap();
        assert_eq!(page.states.iter().map(|state| state.instance_id.as_str()).collect::<Vec<_>>(), [id]);
        assert!(!wait_on(client.history(None, id), None).unwrap().is_empty());

        let program = std::env::current_exe().unwrap();
        let program = program.file_name().unwrap().to_string_lossy();
        let refused = |result: Result<()>| {
            let error: Error = result.expect_err("only the owner may do this");
            assert_eq!(error.kind(), ErrorKind::StoreLocked, "{error}");
            let owner = format!("process {} (", owner.0.id());
            assert!(error.message().contains(&owner) && error.message().contains(&*program), "{error}");
        };
        refused(orders::start(&client, "leaf", "leaf-0", None));
        refused(orders::raise(&client, id, "second"));
        refused(wait_on(client.pause(None, id, None), None));
        refused(wait_on(client.resume(None, id, None), None));
        refused(wait_on(client.terminate(None, id, None, true), None));
        refused(wait_on(client.purge(None, id, true), None).map(drop));
        refused(wait_on(client.bulk(None, BulkAction::Purge, Default::default(), None), None).map(drop));
        refused(orders::result(&client, id).map(drop));
        refused(wait_on(client.next_change(None, id, None, None, true), None).map(drop));
        refused(Worker::open(&client, None, &orders::host(None).open(10)).map(drop));

        // The system drops a dead owner's lock; a client that is opened then is the owner.
        owner.kill();
        client.close();
        let client = orders::open(&files.endpoint()).unwrap();
        let _workers = orders::workers(&client, None);
        orders::raise(&client, id, "second").unwrap();
        orders::raise(&client, id, "end").unwrap();
        assert_eq!(orders::result(&client, id).unwrap().as_deref(), Some(r#"["first","second"]"#));
    }
}
