//! JSON Pointers (RFC 6901): the path of the place at hand, and names as pointer tokens.

use crate::strings;

/// Append `/` and a checked name's meaning as a pointer token.
pub fn push_meaning(inner: &[u8], out: &mut Vec<u8>) {
    let mut meaning = Vec::new();
    strings::unescape(inner, &mut meaning);
    out.push(b'/');
    push_rewritten(&meaning, out);
}

/// Append `/` and a name's text as a pointer token inside a JSON string: escapes stay, `~` and `/` are rewritten.
pub fn push_name(inner: &[u8], escaped: bool, out: &mut Vec<u8>) {
    out.push(b'/');
    if !escaped {
        return push_rewritten(inner, out);
    }
    let mut at = 0;
    while at < inner.len() {
        if inner[at] != b'\\' {
            push_rewritten(&inner[at..at + 1], out);
            at += 1;
            continue;
        }
        let length = if inner[at + 1] == b'u' { 6 } else { 2 };
        let sequence = &inner[at..at + length];
        match () {
            () if sequence == b"\\/" || sequence.eq_ignore_ascii_case(b"\\u002f") => out.extend_from_slice(b"~1"),
            () if sequence.eq_ignore_ascii_case(b"\\u007e") => out.extend_from_slice(b"~0"),
            () => out.extend_from_slice(sequence),
        }
        at += length;
    }
}

/// Append `/` and an array index.
pub fn push_index(index: u32, out: &mut Vec<u8>) {
    let mut digits = [0u8; 11];
    let mut at = digits.len();
    let mut rest = index;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    at -= 1;
    digits[at] = b'/';
    out.extend_from_slice(&digits[at..]);
}

fn push_rewritten(token: &[u8], out: &mut Vec<u8>) {
    if !token.iter().any(|byte| matches!(byte, b'~' | b'/')) {
        return out.extend_from_slice(token);
    }
    for byte in token {
        match byte {
            b'~' => out.extend_from_slice(b"~0"),
            b'/' => out.extend_from_slice(b"~1"),
            other => out.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(inner: &str) -> String {
        let mut out = Vec::new();
        push_name(inner.as_bytes(), inner.contains('\\'), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn names_become_tokens_and_keep_their_escapes() {
        for (inner, expected) in [
            ("", "/"),
            ("a", "/a"),
            ("~a/b", "/~0a~1b"),
            ("\\n~\\\\", "/\\n~0\\\\"),
            ("\\/\\u002F\\u002f\\u007E~", "/~1~1~1~0~0"),
            ("\\\"\\u0041", "/\\\"\\u0041"),
        ] {
            assert_eq!(token(inner), expected);
        }
    }

    #[test]
    fn indexes_are_decimal() {
        for index in [0, 9, 10, 4_294_967_295] {
            let mut out = Vec::new();
            push_index(index, &mut out);
            assert_eq!(out, format!("/{index}").into_bytes());
        }
    }
}
