//! What unpacking lets through, and what it refuses.
