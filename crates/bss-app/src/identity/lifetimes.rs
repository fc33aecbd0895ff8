//! How long things of the issuer live, in seconds of real time.

/// Access and ID tokens.
pub const TOKEN_S: i64 = 10 * 60;
/// An authorization code (RFC 6749 §4.1.2 recommends ten minutes at most): one redirect and one call.
pub const CODE_S: i64 = 60;
/// A session, and a refresh token, that nobody uses.
pub const SESSION_IDLE_S: i64 = 60 * 60;
/// A session, however much it is used: a working day.
pub const SESSION_MAX_S: i64 = 12 * 60 * 60;
/// A shown login form.
pub const LOGIN_FORM_S: i64 = 30 * 60;
