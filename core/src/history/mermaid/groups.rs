//! Which lines of a diagram stand together: the attempts of a call in a `loop`, calls that ran side by side in a `par`. Only
//! where nothing else happened meanwhile, so that a diagram read from above to below tells the order of events.

use std::collections::HashMap;

use super::block::{Node, Section};
use super::steps::Item;
use super::text::escaped;
use crate::history::HistoryEvent;

/// The items as lines and blocks.
pub(super) fn grouped(events: &[HistoryEvent], items: Vec<Item>) -> Vec<Node> {
    let mut last = vec![0; events.len()];
    for (index, item) in items.iter().enumerate() {
        if let Some(call) = item.call {
            last[call] = index;
        }
    }
    let mut ends = Vec::new();
    let (mut index, mut tried) = (0, 0);
    while index < items.len() {
        let mut end = None;
        if index >= tried {
            let (calls, closed) = side_by_side(&items, index, &last);
            // If these do not stand together, nor do the later ones of them.
            tried = index + calls;
            end = closed;
        }
        let end = end.or_else(|| again(&items, index, &last));
        ends.push((end.unwrap_or(index + 1), end.is_some()));
        index = ends.last().map_or(index, |(end, _)| *end);
    }
    let mut items = items.into_iter();
    let mut nodes = Vec::new();
    let mut begin = 0;
    for (end, is_block) in ends {
        let taken = items.by_ref().take(end - begin);
        if is_block {
            nodes.push(block(events, taken));
        } else {
            nodes.extend(taken.flat_map(|item| item.nodes));
        }
        begin = end;
    }
    nodes
}

/// How many calls began in one turn here, and where the last of them ended if nothing else happened until then.
fn side_by_side(items: &[Item], index: usize, last: &[usize]) -> (usize, Option<usize>) {
    let turn = items[index].turn;
    let begun = items[index..].iter().take_while(|item| item.opens && item.turn == turn);
    let calls: HashMap<usize, usize> =
        begun.filter_map(|item| item.call).map(|call| (call, last[call])).collect();
    if calls.len() < 2 {
        return (calls.len(), None);
    }
    let end = 1 + calls.values().copied().max().unwrap_or(index);
    let all = items[index..end].iter().all(|item| item.call.is_some_and(|call| calls.contains_key(&call)));
    (calls.len(), all.then_some(end))
}

/// Where the attempts of the call that begins here end, if there are several and nothing else happened until then.
fn again(items: &[Item], index: usize, last: &[usize]) -> Option<usize> {
    let call = items[index].call.filter(|_| items[index].opens)?;
    let end = last[call] + 1;
    let all = items[index..end].iter().all(|item| item.call == Some(call));
    (all && attempts(&items[index..end]) > 1).then_some(end)
}

fn attempts(items: &[Item]) -> usize {
    items.iter().filter(|item| item.attempts).count()
}

fn block(events: &[HistoryEvent], items: impl Iterator<Item = Item>) -> Node {
    let mut calls: Vec<(usize, Vec<Item>)> = Vec::new();
    let mut places = HashMap::new();
    for item in items {
        let Some(call) = item.call else { continue };
        let place = *places.entry(call).or_insert(calls.len());
        if place == calls.len() {
            calls.push((call, Vec::new()));
        }
        calls[place].1.push(item);
    }
    if calls.len() == 1
        && let Some((call, items)) = calls.pop()
    {
        return repeated(events, call, items);
    }
    let section = |(call, items): (usize, Vec<Item>)| {
        let nodes = match attempts(&items) {
            0 | 1 => items.into_iter().flat_map(|item| item.nodes).collect(),
            _ => vec![repeated(events, call, items)],
        };
        Section { label: name(events, call), nodes }
    };
    Node::Block { keyword: "par", sections: calls.into_iter().map(section).collect() }
}

fn repeated(events: &[HistoryEvent], call: usize, items: Vec<Item>) -> Node {
    let label = format!("{}, {} attempts", name(events, call), attempts(&items));
    Node::block("loop", label, items.into_iter().flat_map(|item| item.nodes).collect())
}

fn name(events: &[HistoryEvent], call: usize) -> String {
    escaped(events[call].name.as_deref().unwrap_or_default(), 40)
}
