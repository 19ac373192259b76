//! Does nothing; without it cargo would leave the dependencies of builds out.

fn main() {}
