//! `actions/checkout`.
use lineclear_runner::native::{Call, NativeAction, NativeError};
/// Checks a repository out.
#[derive(Debug)]
pub(crate) struct Checkout;
impl NativeAction for Checkout {
    fn name(&self) -> &'static str {
        "actions/checkout"
    }
    fn metadata(&self) -> &'static str {
        "name: Checkout\n"
    }
    fn main(&self, _call: &mut Call<'_>) -> Result<(), NativeError> {
        Ok(())
    }
}
