//! The ledger as others use it: appended to, read, indexed, verified and exported.
