//! The machine without clock or I/O: what each input gives, and what must hold after every one of them.

mod bench;
mod deliver;
mod families;
mod lifecycle;
mod order;
mod rerun;
mod turns;
