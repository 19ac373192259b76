//! Nothing but its dependencies: the features that the native module of one language asks of crates which the others have as
//! well. Cargo compiles a crate once for each set of features, and with it all that depends on it; asked for by all, one
//! compile serves all languages. `scripts/consistency.py` says what is missing here.
