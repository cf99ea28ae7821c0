//! What became of a request about a network, for whoever waits for it.

use napi_derive::napi;

use crate::error_fields::ErrorFields;

/// What became of a request.
#[napi(object, object_from_js = false)]
pub struct NativeAnswer {
    /// As given to `request`.
    pub id: u32,
    /// The results of the operations that succeeded, as the text of a JSON array.
    pub results: String,
    /// Why the next one did not.
    pub failure: Option<ErrorFields>,
}
