//! The load: callers that start orders and raise events until the engine is gone or they are through.

use everstep::model::ListRequest;
use everstep::testkit::workers::Workers;
use everstep::{Client, Error, Result};

use crate::orders;
use crate::register::Register;

/// One caller's part of a load. Names tell lives and callers apart.
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a Client,
    pub(crate) register: &'a dyn Register,
    pub(crate) life: u32,
    pub(crate) number: u32,
    /// How many orders it starts.
    pub(crate) orders: u32,
}

impl Caller<'_> {
    /// Runs until it is through or a call fails.
    pub(crate) fn run(&self) -> Result<()> {
        let (life, number) = (self.life, self.number);
        let into = format!("box-{life}-{number}");
        let kind = if number % 2 == 0 { "box" } else { "relay" };
        self.start(&into, |client| orders::start(client, kind, &into, Some("[]".to_owned())))?;
        for order in 0..self.orders {
            let id = format!("order-{life}-{number}-{order}");
            let size = if order % 8 == 3 { 30_000 } else { 10 };
            self.start(&id, |client| orders::start_order(client, &id, &into, size))?;
            self.raise(&into, &format!("e-{life}-{number}-{order}"))?;
            if order % 2 == 1 {
                let output = orders::result(self.client, &id)?.unwrap_or_default();
                self.register.note(&format!("done! {id} {output}"));
            }
        }
        Ok(())
    }

    fn start(&self, id: &str, call: impl FnOnce(&Client) -> Result<()>) -> Result<()> {
        self.register.note(&format!("start? {id}"));
        call(self.client)?;
        self.register.note(&format!("start! {id}"));
        Ok(())
    }

    fn raise(&self, id: &str, item: &str) -> Result<()> {
        self.register.note(&format!("item? {id} {item}"));
        orders::raise(self.client, id, item)?;
        self.register.note(&format!("item! {id} {item}"));
        Ok(())
    }
}

/// Runs several callers at once; gives what ended those that did not get through.
pub(crate) fn run(
    client: &Client,
    register: &dyn Register,
    life: u32,
    callers: u32,
    orders: u32,
) -> Vec<Error> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|number| scope.spawn(move || Caller { client, register, life, number, orders }.run()))
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("callers do not panic").err()).collect()
    })
}

/// Lets everything end that began: first what ends by itself, then the boxes.
pub(crate) fn finish(client: &Client, _workers: &Workers) -> Result<()> {
    let all = everything(client)?;
    let (boxes, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| id.starts_with("box-"));
    for id in &others {
        orders::result(client, id)?;
    }
    for id in &boxes {
        orders::raise(client, id, "end")?;
    }
    for id in &boxes {
        orders::result(client, id)?;
    }
    Ok(())
}

fn everything(client: &Client) -> Result<Vec<String>> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let listing = client.list(None, ListRequest { cursor, limit: Some(500), ..ListRequest::default() });
        let page = everstep::runtime::wait_on(listing, Some(crate::PATIENCE))?;
        ids.extend(page.states.into_iter().map(|state| state.instance_id));
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(ids);
        }
    }
}
