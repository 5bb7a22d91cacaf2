//! How a rule that does not hold is told: as a value, so that a generator can shrink in silence.

use alloc::string::String;

/// Nothing to object, or the rule that was broken.
pub(super) type Verdict<T = ()> = Result<T, Rule>;

/// A rule that was broken, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule(pub(super) String);

/// Leaves with a broken rule unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($rule:tt)+) => {
        if !$holds {
            return Err($crate::schedule::verdict::Rule(alloc::format!($($rule)+)));
        }
    };
}

/// Leaves with a broken rule unless both are equal.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr, $($rule:tt)+) => {{
        let (found, expected) = (&$found, &$expected);
        if found != expected {
            let rule = alloc::format!($($rule)+);
            return Err($crate::schedule::verdict::Rule(alloc::format!(
                "{rule}: found {found:?}, expected {expected:?}"
            )));
        }
    }};
}

pub(super) use {ensure, ensure_eq};
