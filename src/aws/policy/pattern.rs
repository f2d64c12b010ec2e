//! The wildcards of actions and resources: `*` for any run of characters, `?` for one, upper and lower case alike.

/// Whether everything that `other` stands for is within `pattern`. A plain text stands for itself.
///
/// Runs in the product of both lengths: a pattern of many stars costs no more.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    let (pattern, other) = (pattern.as_bytes(), other.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // The last star, and how much of the other it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while seen < other.len() {
        let here = pattern.get(at).copied();
        let same = here.is_some_and(|byte| byte.eq_ignore_ascii_case(&other[seen]));
        // One character can't stand for any number of them.
        let any_one = here == Some(b'?') && other[seen] != b'*';
        if here == Some(b'*') {
            star = Some((at, seen));
            at += 1;
        } else if same || any_one {
            at += 1;
            seen += 1;
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            at = place + 1;
            seen = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        assert!(covers("iam:*", "IAM:CreateUser"));
        assert!(covers("*", "iam:*"));
        assert!(covers("iam:*MFA*", "iam:EnableMFADevice"));
        assert!(covers("iam:*MFA*", "iam:List*MFADevices"));
        assert!(covers("iam:GetUse?", "iam:GetUser"));
        assert!(!covers("iam:GetUse?", "iam:GetUse*"));
        assert!(!covers("iam:Get*", "iam:*"));
        assert!(!covers("iam:GetUser", "iam:GetUserPolicy"));
        assert!(covers("a*b*c", "aXbYbZc"));
        assert!(!covers("a*b*c", "aXcYb"));
        assert!(covers("", ""));
        assert!(!covers("", "a"));
    }

    #[test]
    fn many_stars_come_to_an_end() {
        assert!(!covers(&"*a".repeat(500), &"a".repeat(499)));
        assert!(covers(&"*a".repeat(500), &"a".repeat(500)));
    }
}
