//! How an expression is embedded in a script: in which quotes, in a comment, in a here-document. That decides how it can be replaced
//! by a variable.

/// What surrounds a place of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// Nothing.
    Bare,
    /// Quotes, or a here-document, in which variables are expanded.
    Expanding,
    /// Quotes, or a here-document, in which nothing is expanded.
    Fixed,
    /// A comment.
    Comment,
}

/// What is open while a POSIX script is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Double,
    /// `$( )`, `( )`, with the text around it as before.
    Paren,
    Brace,
    Backtick,
}

/// What surrounds byte `at` of a script for `bash` and its like.
pub(super) fn in_posix(script: &str, at: usize) -> Around {
    let bytes = script.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut documents: Vec<(String, bool)> = Vec::new();
    let mut index = 0;
    while index < at {
        let Some(&byte) = bytes.get(index) else { break };
        let is_double = open.last() == Some(&Open::Double);
        match byte {
            b'$' if bytes.get(index + 1) == Some(&b'{') && bytes.get(index + 2) == Some(&b'{') => {
                // An expression of the workflow is one piece.
                let length = script.get(index..).and_then(|rest| rest.find("}}"));
                match length {
                    Some(length) if index + length + 2 <= at => index += length + 2,
                    _ => break,
                }
                continue;
            }
            b'\\' => index += 1,
            b'"' if is_double => {
                open.pop();
            }
            b'"' => open.push(Open::Double),
            b'\'' if !is_double => {
                let length = script.get(index + 1..).and_then(|rest| rest.find('\''));
                match length {
                    Some(length) if index + 1 + length < at => index += length + 1,
                    _ => return Around::Fixed,
                }
            }
            b'`' if open.last() == Some(&Open::Backtick) => {
                open.pop();
            }
            b'`' => open.push(Open::Backtick),
            b'$' if bytes.get(index + 1) == Some(&b'(') => {
                open.push(Open::Paren);
                index += 1;
            }
            b'$' if bytes.get(index + 1) == Some(&b'{') => {
                open.push(Open::Brace);
                index += 1;
            }
            b'(' if !is_double => open.push(Open::Paren),
            b')' if open.last() == Some(&Open::Paren) => {
                open.pop();
            }
            b'}' if open.last() == Some(&Open::Brace) => {
                open.pop();
            }
            b'#' if !is_double && begins_word(bytes, index) => {
                let length = script.get(index..).and_then(|rest| rest.find('\n'));
                match length {
                    Some(length) if index + length <= at => {
                        index += length;
                        continue;
                    }
                    _ => return Around::Comment,
                }
            }
            b'<' if !is_double && bytes.get(index + 1) == Some(&b'<') && bytes.get(index + 2) != Some(&b'<') => {
                if let Some(document) = document(script, index + 2) {
                    documents.push(document);
                }
                index += 1;
            }
            b'<' if bytes.get(index + 1) == Some(&b'<') => index += 2,
            b'\n' if !documents.is_empty() => {
                for (delimiter, expands) in std::mem::take(&mut documents) {
                    let end = end_of_document(script, index + 1, &delimiter);
                    if at < end {
                        return if expands { Around::Expanding } else { Around::Fixed };
                    }
                    index = end;
                }
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    match open.last() {
        Some(Open::Double) => Around::Expanding,
        _ => Around::Bare,
    }
}

fn begins_word(bytes: &[u8], index: usize) -> bool {
    index
        .checked_sub(1)
        .and_then(|before| bytes.get(before))
        .is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b';')
}

/// The delimiter behind `<<`, and whether the document is expanded.
fn document(script: &str, from: usize) -> Option<(String, bool)> {
    let rest = script.get(from..)?.trim_start_matches('-').trim_start_matches(' ');
    let quote = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"'));
    let rest = rest.trim_start_matches(['\'', '"', '\\']);
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
    let word = rest.get(..end).filter(|word| !word.is_empty())?;
    Some((word.to_owned(), quote.is_none()))
}

/// The byte behind the line that ends the document whose body begins at `from`.
fn end_of_document(script: &str, from: usize, delimiter: &str) -> usize {
    let mut at = from;
    for line in script.get(from..).unwrap_or_default().split_inclusive('\n') {
        at += line.len();
        if line.trim() == delimiter {
            return at;
        }
    }
    script.len().max(at)
}

/// What surrounds byte `at` of a script for PowerShell: only its own line is looked at, and none in which quotes are mixed.
pub(super) fn in_powershell(script: &str, at: usize) -> Around {
    let before = script.get(..at).unwrap_or_default();
    let here = |mark: &str, end: &str| {
        before.rfind(mark).is_some_and(|start| before.get(start..).is_some_and(|rest| !rest.contains(end)))
    };
    if here("@'\n", "\n'@") {
        return Around::Fixed;
    }
    if here("@\"\n", "\n\"@") {
        return Around::Expanding;
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut quote = None;
    for (index, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'#') if begins_word(line.as_bytes(), index) => return Around::Comment,
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    match quote {
        None => Around::Bare,
        Some(b'"') => Around::Expanding,
        Some(_) => Around::Fixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_posix(script: &str, expected: Around) {
        let at = script.find("${{ x").unwrap();
        assert_eq!(in_posix(script, at), expected, "{script}");
    }

    #[test]
    fn quotes_are_followed_through_a_script() {
        check_posix("echo ${{ x }}", Around::Bare);
        check_posix("echo \"a ${{ x }}\"", Around::Expanding);
        check_posix("echo 'a ${{ x }}'", Around::Fixed);
        check_posix("echo 'it' \"is\" ${{ x }}", Around::Bare);
        check_posix("echo \"it's ${{ x }}\"", Around::Expanding);
        check_posix("echo it\\'s ${{ x }}", Around::Bare);
        check_posix("echo \"$(echo ${{ x }})\"", Around::Bare);
        check_posix("echo \"$(echo 'a') ${{ x }}\"", Around::Expanding);
        check_posix("echo \"${{ 'y' }}\" ${{ x }}", Around::Bare);
        check_posix("# it's ${{ x }}", Around::Comment);
        check_posix("# it's\necho ${{ x }}", Around::Bare);
        check_posix("echo a#b ${{ x }}", Around::Bare);
        check_posix("cat <<EOF\nit's ${{ x }}\nEOF", Around::Expanding);
        check_posix("cat <<-'EOF'\na\n${{ x }}\nEOF", Around::Fixed);
        check_posix("cat <<EOF\nit's\nEOF\necho ${{ x }}", Around::Bare);
        check_posix("cat <<<\"${{ x }}\"", Around::Expanding);
    }

    #[test]
    fn powershell_has_its_own_quotes() {
        let check = |script: &str, expected| {
            assert_eq!(in_powershell(script, script.find("${{ x").unwrap()), expected, "{script}")
        };
        check("Write-Host ${{ x }}", Around::Bare);
        check("Write-Host \"a ${{ x }}\"", Around::Expanding);
        check("Write-Host 'a ${{ x }}'", Around::Fixed);
        check("$a = @\"\n${{ x }}\n\"@", Around::Expanding);
    }
}
