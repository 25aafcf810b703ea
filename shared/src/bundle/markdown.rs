//! Text of people in Markdown (CommonMark with GitHub's tables), shown as it was written.

/// `text` on one line, as part of a heading, a paragraph, an item of a list or a cell of a table.
///
/// Nothing in it is Markdown: it starts no block, and has no emphasis, code, link, entity or HTML. Line breaks and other
/// control characters become spaces.
pub(super) fn inline(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    let line = line.trim();
    let marker = list_marker(line);
    let mut escaped = String::with_capacity(line.len());
    let mut before = ' ';
    for (index, character) in line.char_indices() {
        let rest = &line[index + character.len_utf8()..];
        let is_markdown = match character {
            '\\' | '`' | '*' | '[' | '<' | '|' | '~' => true,
            // Inside a word it is plain.
            '_' => !(before.is_alphanumeric() && rest.starts_with(char::is_alphanumeric)),
            '&' => is_entity(rest),
            // Ends a heading as well.
            '#' => before.is_whitespace(),
            '+' | '-' | '=' | '>' => index == 0,
            '.' | ')' => Some(index) == marker,
            _ => false,
        };
        if is_markdown {
            escaped.push('\\');
        }
        escaped.push(character);
        before = character;
    }
    escaped
}

/// `text` as a block of code, with its line breaks.
pub(super) fn code_block(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}\n{text}\n{fence}")
}

/// Where the number at the start of a line ends, if the line would be an item of a numbered list.
fn list_marker(line: &str) -> Option<usize> {
    let digits = line.find(|character: char| !character.is_ascii_digit())?;
    let after = line[digits..].strip_prefix(['.', ')'])?;
    (digits > 0 && (after.is_empty() || after.starts_with(' '))).then_some(digits)
}

/// Whether what follows an ampersand makes it an entity such as `&lt;` or `&#60;`.
fn is_entity(rest: &str) -> bool {
    let name = rest.strip_prefix('#').unwrap_or(rest);
    name.find(|character: char| !character.is_ascii_alphanumeric()).is_some_and(|end| name[end..].starts_with(';'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    /// The blocks of a document with their text, such as `("cell", "0.5")`, and by its name whatever else is in it.
    fn blocks(markdown: &str) -> Vec<(String, String)> {
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
        let mut blocks: Vec<(String, String)> = Vec::new();
        for event in Parser::new_ext(markdown, options) {
            let name = match event {
                Event::Text(text) => {
                    blocks.last_mut().expect("text is in a block").1 += &text;
                    continue;
                }
                Event::End(_) | Event::Start(Tag::List(None) | Tag::Table(_) | Tag::TableHead | Tag::TableRow) => {
                    continue;
                }
                Event::Start(Tag::Heading { .. }) => "heading",
                Event::Start(Tag::Paragraph) => "paragraph",
                Event::Start(Tag::Item) => "item",
                Event::Start(Tag::TableCell) => "cell",
                Event::Start(Tag::CodeBlock(_)) => "code",
                other => &format!("{other:?}"),
            };
            blocks.push((name.into(), String::new()));
        }
        blocks
    }

    fn assert_is_shown_as_written(text: &str) {
        let line = text.replace(char::is_control, " ").trim().to_string();
        let (inline, code) = (inline(text), code_block(text));
        let table = format!("| a | b |\n|---|---|\n| {inline} | {inline} |");
        let markdown = format!("# {inline}\n\n{inline}\n\n- {inline}\n- a: {inline}\n\n{code}\n\n{table}\n");
        let labelled = format!("a: {line}");
        let mut expected = vec![("heading", line.as_str())];
        expected.extend((!line.is_empty()).then_some(("paragraph", line.as_str())));
        expected.extend([("item", line.as_str()), ("item", labelled.trim())]);
        let block = format!("{text}\n").replace("\r\n", "\n");
        expected.extend([("code", block.as_str()), ("cell", "a"), ("cell", "b"), ("cell", &line), ("cell", &line)]);
        let found = blocks(&markdown);
        let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, expected, "{markdown}");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "dcunet",
            "Panayotov et al. 2015, from LibriVox; by way of resemble-ai/Resemblyzer",
            "Muges/ambientsounds; D W, Corsica_S (part), 50 % AT&T - \"C#\"",
            "9.7 % zero-small, 54.4 % recording + recording",
            "https://example.org/a_b?c=d&e=f#g",
            "Größe: 3 > 2, x = 1.",
        ] {
            assert_eq!(inline(text), text);
            assert_is_shown_as_written(text);
        }
    }

    #[test]
    fn markdown_is_shown_as_written() {
        for text in [
            "",
            "a | b || c\\|",
            "one\n\n# two\r\n| x |",
            "`code` and ``more` ```",
            "```\nrm -rf\n````\n",
            "<script>alert(1)</script> <!-- x --> <https://example.org> 1 < 2",
            "[here](javascript:alert(1)) ![x](y) [^1] [a]: b",
            "*a* **b** _c_ __d__ e_f_ _g ~h~ ~~i~~",
            "&lt; &#60; &#x3c; &copy; & &;",
            "# x #",
            "## x ##",
            "> x",
            "- x",
            "+ x",
            "* x",
            "1. x",
            "12) x",
            "3.",
            "---",
            "***",
            "===",
            "C:\\new\\ \\",
            "    indented\t",
        ] {
            assert_is_shown_as_written(text);
        }
        assert_eq!(inline("a|b\n[c](d)"), "a\\|b \\[c](d)");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn anything_is_shown_as_written(text in "[-\\\\`*_\\[\\]()<>|~&#;:+=.!a-c1 \n]{0,16}") {
            assert_is_shown_as_written(&text);
        }
    }
}
