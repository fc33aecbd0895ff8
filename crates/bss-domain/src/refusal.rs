//! A business rule's "no": what was wrong, with which value, and what kind of wrong it is.

/// The kind of a refusal; the edge turns it into a status (RFC 9110) or an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Malformed, of the wrong type, an unknown value or reference, a write to a read-only attribute (400).
    Invalid,
    /// At odds with the present state, or with what exists already (409).
    Conflict,
}

/// A refusal that the caller may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of wrong.
    pub kind: RefusalKind,
    /// A stable word for programs: `unknownOffering`.
    pub code: &'static str,
    /// The attribute's path: `orderItem[0].productOffering.id`.
    pub field: Option<String>,
    /// The value that was wrong, as given.
    pub value: Option<String>,
    /// A sentence for people: what was wrong and what to do.
    pub message: String,
}

impl Refusal {
    /// A value of an attribute is wrong.
    pub fn invalid(
        code: &'static str,
        field: impl Into<String>,
        value: impl ToString,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind: RefusalKind::Invalid,
            code,
            field: Some(field.into()),
            value: Some(value.to_string()),
            message: message.into(),
        }
    }

    /// An attribute is missing.
    pub fn missing(field: impl Into<String>) -> Self {
        let field = field.into();
        Self {
            kind: RefusalKind::Invalid,
            code: "missing",
            message: format!("{field} is missing"),
            field: Some(field),
            value: None,
        }
    }

    /// The present state forbids it.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Conflict,
            code,
            field: None,
            value: None,
            message: message.into(),
        }
    }

    /// An arrow that the state machine doesn't have.
    pub fn illegal_transition(kind: &str, from: impl ToString, to: impl ToString) -> Self {
        let (from, to) = (from.to_string(), to.to_string());
        Self {
            kind: RefusalKind::Conflict,
            code: "illegalTransition",
            field: Some("state".to_owned()),
            message: format!("{kind} can't go from {from} to {to}"),
            value: Some(to),
        }
    }

    /// The same refusal, its field below another path.
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        self.field = Some(
            self.field
                .map_or_else(|| path.to_owned(), |field| format!("{path}.{field}")),
        );
        self
    }
}
