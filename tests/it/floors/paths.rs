//! The paths of a source that leave its room, written out from the crate's root.

use super::tokens::Token;

/// Every path that starts at the crate's root, however it gets there, with its line: the first word is the room.
pub(super) fn from_the_root(tokens: &[Token], module: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    // How deep in inline modules we are, and at which brace each began.
    let (mut braces, mut inline) = (0_usize, Vec::new());
    while at < tokens.len() {
        let token = &tokens[at];
        let depth = module.len() + inline.len();
        match token.text.as_str() {
            "mod" if tokens.get(at + 2).is_some_and(|next| next.is("{")) => inline.push(braces),
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
            }
            "crate" | "vmfa" | "super" | "self" if starts_a_path(tokens, at) => {
                let mut paths = Vec::new();
                let end = tree(tokens, at, &mut Vec::new(), &mut paths);
                found.extend(
                    paths
                        .into_iter()
                        .filter_map(|path| Some((token.line, out_of(&path, depth)?))),
                );
                // A brace that isn't part of the path is counted by this loop.
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// `pub(crate)` and `pub(super)` are no paths; the `self` of a method isn't either; `a::self` goes on from `a`.
fn starts_a_path(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| tokens[before].text.as_str());
    let after = tokens.get(at + 1).map(|after| after.text.as_str());
    match (before, after) {
        (Some("::"), _) => before_root_only(tokens, at),
        (_, Some("::")) => true,
        (Some("use"), Some("as" | ";")) => true,
        _ => false,
    }
}

/// `::vmfa::x`, with nothing before the first `::`, starts a path as `vmfa::x` does.
fn before_root_only(tokens: &[Token], at: usize) -> bool {
    tokens[at].is("vmfa") && at >= 2 && !tokens[at - 2].is_word() && !tokens[at - 2].is(">")
}

/// Reads a path, or the tree of paths of a `use`, and gives where it ends.
fn tree(
    tokens: &[Token],
    start: usize,
    prefix: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let outer = prefix.len();
    let mut at = start;
    loop {
        match tokens.get(at) {
            Some(token) if token.is("{") => {
                at += 1;
                while at < tokens.len() && !tokens[at].is("}") {
                    at = tree(tokens, at, prefix, paths);
                    while at < tokens.len() && !tokens[at].is(",") && !tokens[at].is("}") {
                        at += 1; // `as name`
                    }
                    if at < tokens.len() && tokens[at].is(",") {
                        at += 1;
                    }
                }
                prefix.truncate(outer);
                return at + 1;
            }
            Some(token) if token.is_word() || token.is("*") => {
                prefix.push(token.text.clone());
                at += 1;
            }
            _ => break,
        }
        // `f::<T>()` goes on into arguments, which are read as paths of their own.
        let goes_on = tokens.get(at).is_some_and(|token| token.is("::"))
            && tokens
                .get(at + 1)
                .is_some_and(|token| token.is_word() || token.is("{") || token.is("*"));
        if !goes_on {
            break;
        }
        at += 1;
    }
    paths.push(prefix.clone());
    prefix.truncate(outer);
    at.max(start + 1)
}

/// What a path says after the crate's root, or nothing when it stays inside the file's own room.
fn out_of(path: &[String], depth: usize) -> Option<Vec<String>> {
    let mut rest = path;
    let mut depth = depth;
    loop {
        match rest.first().map(String::as_str) {
            Some("crate" | "vmfa") => return Some(rest[1..].to_vec()),
            Some("super") => depth = depth.saturating_sub(1),
            Some("self") => {}
            _ => return (depth == 0).then(|| rest.to_vec()),
        }
        rest = &rest[1..];
    }
}
