//! Paths that are treated apart: public ones, and those with limits of their own.

use std::sync::Arc;
use std::time::Duration;

use crate::config::PathOverride;

/// A path, or with `*` at its end everything that begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: Arc<str>,
    prefix: bool,
}

impl PathPattern {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, prefix) = text.strip_suffix('*').map_or((text, false), |path| (path, true));
        if !path.starts_with('/') || path.contains('*') {
            return Err(format!("`{text}` is no path such as `/health` or `/realms/*`"));
        }
        Ok(Self {
            text: Arc::from(path),
            prefix,
        })
    }

    pub fn matches(&self, path: &str) -> bool {
        if self.prefix {
            path.starts_with(&*self.text)
        } else {
            path == &*self.text
        }
    }
}

/// The paths that need no token.
#[derive(Debug, Clone)]
pub struct PublicPaths(pub Vec<PathPattern>);

impl PublicPaths {
    /// A path that another part might read as a different one is never public, whatever it begins with.
    pub fn contains(&self, path: &str) -> bool {
        let ambiguous =
            path.contains("..") || path.contains("//") || path.contains('%') || path.contains('\\');
        !ambiguous && self.0.iter().any(|pattern| pattern.matches(path))
    }
}

/// Body size and answer time by path; the first override that matches counts.
#[derive(Debug)]
pub struct PathLimits {
    pub overrides: Vec<(PathPattern, PathOverride)>,
    pub body_bytes: u64,
    pub answer_timeout_ms: u64,
}

impl PathLimits {
    fn find<T>(&self, path: &str, value: impl Fn(&PathOverride) -> Option<T>) -> Option<T> {
        self.overrides
            .iter()
            .filter(|(pattern, _)| pattern.matches(path))
            .find_map(|(_, over)| value(over))
    }

    pub fn body_bytes(&self, path: &str) -> u64 {
        self.find(path, |over| over.body_bytes).unwrap_or(self.body_bytes)
    }

    pub fn answer_timeout(&self, path: &str) -> Duration {
        let own = self.find(path, |over| over.answer_timeout_ms);
        Duration::from_millis(own.unwrap_or(self.answer_timeout_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_paths() {
        let patterns = ["/", "/health", "/realms/*"].map(|text| PathPattern::parse(text).unwrap());
        let public = PublicPaths(patterns.to_vec());
        let table = [
            ("/", true),
            ("/health", true),
            ("/health/live", false),
            ("/realms/bss/x", true),
            ("/realms", false),
            ("/tmf-api/x", false),
            ("/realms/../tmf-api/x", false),
            ("/realms/%2e%2e/tmf-api/x", false),
            ("/realms//x", false),
        ];
        for (path, expected) in table {
            assert_eq!(public.contains(path), expected, "{path}");
        }
        for wrong in ["", "health", "*", "/a*b"] {
            assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
