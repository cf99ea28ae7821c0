//! What is captured, and how.

/// Which packets are captured.
#[derive(Clone, Debug)]
pub enum Filter {
    Text(String),
    /// Instructions of classic BPF, as the kernel takes them.
    Program(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
    Both,
}

/// What is captured, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The index of the link; 0 for all links.
    pub link: u32,
    /// The name of the link, which is only written.
    pub name: String,
    pub filter: Filter,
    pub snap_length: u32,
    pub promiscuous: bool,
    pub direction: Direction,
    /// The size of the ring in bytes, which is rounded up to blocks.
    pub buffer_size: usize,
}
