//! Takes out of the generated sources what nothing reaches. The generator writes its whole runtime for every library, for
//! callbacks and futures too, which this one has none of: three quarters of the jar's generated part, and a hundred
//! native functions that would be looked up when the library is loaded.
//!
//! It knows of Java no more than names: a class lives if what lives says its name, and so does a member of a living class.
//! What it keeps in vain costs bytes, and what it took wrongly would not compile.

use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

/// Deletes and shortens the files of a folder to what the class `root` reaches.
pub(crate) fn trim(folder: &Path, root: &str) -> io::Result<()> {
    let mut classes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "java") && name != "package-info" {
            classes.push(Class::read(&name, &fs::read_to_string(&path)?));
        }
    }
    let living = reach(&classes, root);
    for class in &classes {
        let path = folder.join(format!("{}.java", class.name));
        match class.write(&living) {
            Some(text) => fs::write(path, text)?,
            None => fs::remove_file(path)?,
        }
    }
    Ok(())
}

/// A source file: what comes before the members of its class, the members, and the end.
struct Class {
    name: String,
    head: String,
    members: Vec<Member>,
    end: String,
}

struct Member {
    /// Nothing for what is there without being named: an initializer, a constructor, what implements an interface.
    name: Option<String>,
    text: String,
}

/// The names that are said by what lives.
fn reach(classes: &[Class], root: &str) -> HashSet<String> {
    let mut living = HashSet::from([root.to_owned()]);
    loop {
        let before = living.len();
        for class in classes.iter().filter(|class| living.contains(&class.name)).collect::<Vec<_>>() {
            let all = class.name == root;
            let mut said = names(&class.head);
            for member in &class.members {
                if all || member.lives(&living) {
                    said.extend(names(&member.text));
                }
            }
            living.extend(said.into_iter().map(str::to_owned));
        }
        if living.len() == before {
            return living;
        }
    }
}

impl Member {
    fn lives(&self, living: &HashSet<String>) -> bool {
        self.name.as_ref().is_none_or(|name| living.contains(name))
    }
}

impl Class {
    fn read(name: &str, source: &str) -> Class {
        let code = bare(source);
        let begin = code.find('{').map_or(code.len(), |at| at + 1);
        let (mut members, mut from, mut at) = (Vec::new(), begin, begin);
        while let Some(end) = member_end(&code, at) {
            members.push(Member {
                name: member_name(&code[from..end], name),
                text: source[from..end].to_owned(),
            });
            (from, at) = (end, end);
        }
        Class {
            name: name.to_owned(),
            head: source[..begin].to_owned(),
            members,
            end: source[from..].to_owned(),
        }
    }

    /// The source without what does not live; nothing if that is the class itself.
    fn write(&self, living: &HashSet<String>) -> Option<String> {
        let members = self.members.iter().filter(|member| member.lives(living));
        living.contains(&self.name).then(|| {
            let members: String = members.map(|member| member.text.as_str()).collect();
            format!("{}{members}{}", self.head, self.end)
        })
    }
}

/// Where the member that begins at `from` ends: after its semicolon, or after the brace that closes its body.
fn member_end(code: &str, from: usize) -> Option<usize> {
    let (mut depth, mut is_value) = (0, false);
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'{' | b'(' => depth += 1,
            b'}' | b')' => {
                depth -= 1;
                if depth < 0 {
                    return None;
                }
                if depth == 0 && byte == b'}' && !is_value {
                    return Some(at + 1);
                }
            }
            b'=' if depth == 0 => is_value = true,
            b';' if depth == 0 => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a member is called: a nested type after its keyword, a method before its parameters, a field before its value.
fn member_name(code: &str, class: &str) -> Option<String> {
    if code.contains("@Override") {
        return None;
    }
    let head = &code[..code.find(['{', '(', '=', ';']).unwrap_or(code.len())];
    let words: Vec<&str> = names(head);
    let nested = words.iter().position(|word| ["class", "interface", "record", "enum"].contains(word));
    let name = nested.map_or(words.last(), |at| words.get(at + 1))?;
    (*name != class && *name != "static").then(|| (*name).to_owned())
}

/// The words of a text's code.
fn names(text: &str) -> Vec<&str> {
    let code = bare(text);
    let mut words = Vec::new();
    let mut from = None;
    for (at, letter) in code.char_indices().chain([(code.len(), ' ')]) {
        match (from, letter.is_alphanumeric() || letter == '_') {
            (None, true) => from = Some(at),
            (Some(begin), false) => {
                words.push(&text[begin..at]);
                from = None;
            }
            _ => {}
        }
    }
    words
}

/// The same text, with spaces in place of comments and of what stands in quotes.
fn bare(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if first == '"' || first == '\'' {
            quoted(rest, first)
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(std::iter::repeat_n(' ', length));
        rest = &rest[length..];
    }
    code
}

/// How long a text in quotes is, with them.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Class, reach};

    fn trimmed(sources: &[(&str, &str)]) -> Vec<Option<String>> {
        let classes: Vec<Class> = sources.iter().map(|(name, source)| Class::read(name, source)).collect();
        let living = reach(&classes, "Root");
        classes.iter().map(|class| class.write(&living)).collect()
    }

    #[test]
    fn what_the_root_reaches_stays() {
        let lib = "class Lib {\n    static int one() { return TWO; }\n    static final int TWO = f(() -> { return 2; });\n}\n";
        let root = "class Root { void go() { Lib.one(); } }";
        assert_eq!(trimmed(&[("Root", root), ("Lib", lib)]), [Some(root.to_owned()), Some(lib.to_owned())]);
    }

    #[test]
    fn what_nobody_reaches_goes_even_if_it_names_itself() {
        let lib = "class Lib {\n    int used() { return 1; }\n    // unused\n    int H = find(\"unused\");\n    int unused() { return H; }\n    \
                   interface Odd { int m(); }\n}\n";
        let answers = trimmed(&[
            ("Root", "class Root { int go() { return new Lib().used(); } /* Left */ }"),
            ("Lib", lib),
            ("Left", "class Left { Right right; }"),
            ("Right", "class Right { Left left; }"),
        ]);
        assert_eq!(answers[1].as_deref(), Some("class Lib {\n    int used() { return 1; }\n}\n"));
        assert_eq!(answers[2..], [None, None]);
    }

    #[test]
    fn what_needs_no_name_stays_with_its_class() {
        let lib = "class Lib {\n    static { load('{'); }\n    Lib() {}\n    @Override\n    public String toString() { return \"}\"; }\n}\n";
        assert_eq!(trimmed(&[("Root", "class Root { Lib lib; }"), ("Lib", lib)])[1].as_deref(), Some(lib));
    }
}
