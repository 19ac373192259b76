//! The lines of a diagram as a tree, so that what is left out leaves a diagram that can be read.

/// A line, or a block with an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Line(String),
    Block {
        /// `loop`, `par` or `rect`.
        keyword: &'static str,
        /// The sections of a `par`; other blocks have one.
        sections: Vec<Section>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) label: String,
    pub(super) nodes: Vec<Node>,
}

impl Node {
    pub(super) fn block(keyword: &'static str, label: String, nodes: Vec<Node>) -> Node {
        Node::Block { keyword, sections: vec![Section { label, nodes }] }
    }

    /// How many lines it takes.
    pub(super) fn height(&self) -> usize {
        match self {
            Node::Line(_) => 1,
            Node::Block { sections, .. } => 1 + sections.iter().map(Section::height).sum::<usize>(),
        }
    }

    fn steps(&self) -> usize {
        match self {
            Node::Line(_) => 1,
            Node::Block { sections, .. } => sections.iter().map(Section::steps).sum(),
        }
    }

    pub(super) fn write(&self, depth: usize, out: &mut Vec<String>) {
        let indent = "  ".repeat(depth);
        match self {
            Node::Line(line) => out.push(format!("{indent}{line}")),
            Node::Block { keyword, sections } => {
                for (index, section) in sections.iter().enumerate() {
                    let keyword = if index == 0 { keyword } else { "and" };
                    out.push(format!("{indent}{keyword} {}", section.label).trim_end().to_owned());
                    section.nodes.iter().for_each(|node| node.write(depth + 1, out));
                }
                out.push(format!("{indent}end"));
            }
        }
    }
}

impl Section {
    fn height(&self) -> usize {
        1 + self.nodes.iter().map(Node::height).sum::<usize>()
    }

    fn steps(&self) -> usize {
        self.nodes.iter().map(Node::steps).sum()
    }
}

/// The least that a shortened block takes: its two ends, a note, and two lines.
const LEAST: usize = 5;

/// Leaves out of the middle what is more than `room` lines. `note` makes the line that says how many steps are gone.
pub(super) fn shorten(nodes: Vec<Node>, room: usize, note: &impl Fn(usize) -> Node) -> Vec<Node> {
    if nodes.iter().map(Node::height).sum::<usize>() <= room {
        return nodes;
    }
    let room = room.saturating_sub(1);
    // The beginning says more than the end.
    let (mut front, mut used) = (0, 0);
    while let Some(node) = nodes.get(front)
        && used + node.height() <= room * 2 / 3
    {
        used += node.height();
        front += 1;
    }
    let mut back = nodes.len();
    while back > front && used + nodes[back - 1].height() <= room {
        used += nodes[back - 1].height();
        back -= 1;
    }
    let left = room - used;
    let mut left_out = 0;
    let mut kept = Vec::with_capacity(nodes.len() - (back - front) + 2);
    for (place, node) in nodes.into_iter().enumerate() {
        if place < front || place >= back {
            if place == back && left_out > 0 {
                kept.push(note(left_out));
                left_out = 0;
            }
            kept.push(node);
        } else if place == front && left >= LEAST && matches!(node, Node::Block { .. }) {
            kept.push(shorten_block(node, left, note));
        } else {
            left_out += node.steps();
        }
    }
    if left_out > 0 {
        kept.push(note(left_out));
    }
    kept
}

fn shorten_block(node: Node, room: usize, note: &impl Fn(usize) -> Node) -> Node {
    let Node::Block { keyword, mut sections } = node else { return node };
    if sections.len() == 1 {
        let section = sections.remove(0);
        let nodes = shorten(section.nodes, room - 2, note);
        return Node::block(keyword, section.label, nodes);
    }
    // Branches look alike: the first ones stand for all.
    let mut used = LEAST;
    let mut kept = Vec::new();
    let (mut left_out, mut branches) = (0, 0);
    for section in sections {
        used += section.height();
        if branches == 0 && (used <= room || kept.is_empty() && section.height() + 4 <= room) {
            kept.push(section);
        } else {
            left_out += section.steps();
            branches += 1;
        }
    }
    if branches > 0 {
        kept.push(Section { label: format!("{branches} more"), nodes: vec![note(left_out)] });
    }
    Node::Block { keyword, sections: kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: impl std::fmt::Display) -> Node {
        Node::Line(text.to_string())
    }

    fn note(count: usize) -> Node {
        line(format!("{count} left out"))
    }

    fn written(nodes: &[Node]) -> Vec<String> {
        let mut out = Vec::new();
        nodes.iter().for_each(|node| node.write(0, &mut out));
        out
    }

    #[test]
    fn the_middle_is_left_out() {
        let nodes: Vec<_> = (0..100).map(line).collect();
        assert_eq!(shorten(nodes.clone(), 100, &note), nodes);
        let short = shorten(nodes, 7, &note);
        assert_eq!(written(&short), ["0", "1", "2", "3", "94 left out", "98", "99"]);
    }

    #[test]
    fn a_large_block_is_shortened_inside() {
        let inner = (0..100).map(line).collect();
        let nodes = vec![line("a"), Node::block("loop", "x".into(), inner), line("z")];
        let short = written(&shorten(nodes, 12, &note));
        assert!(short.len() <= 12, "{short:?}");
        assert_eq!(
            (short[0].as_str(), short[1].as_str(), short.last().map(String::as_str)),
            ("a", "loop x", Some("z"))
        );
        assert_eq!(short.iter().filter(|line| line.as_str() == "end").count(), 1);
    }

    #[test]
    fn of_many_branches_the_first_stand_for_all() {
        let section =
            |number: usize| Section { label: number.to_string(), nodes: vec![line("x"), line("y")] };
        let nodes = vec![Node::Block { keyword: "par", sections: (0..50).map(section).collect() }];
        for room in 8..200 {
            let short = shorten(nodes.clone(), room, &note);
            let lines = written(&short);
            assert!(lines.len() <= room, "{room}: {lines:?}");
            let counted: usize = lines
                .iter()
                .map(|line| match line.trim().split_once(" left out") {
                    Some((count, _)) => count.parse().unwrap(),
                    None => usize::from(["x", "y"].contains(&line.trim())),
                })
                .sum();
            assert_eq!(counted, 100, "{room}: {lines:?}");
        }
    }
}
