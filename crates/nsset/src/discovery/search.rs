//! The search for namespaces.

use crate::{
    discovery::{
        census::{Census, Discovery, Search},
        hidden, kernel_list, mounts, processes,
    },
    error::Result,
};

/// Finds the namespaces that processes, threads, descriptors, sockets, mounts and other namespaces hold, as far as the
/// caller may see them.
///
/// # Errors
/// [`Error::System`](crate::Error::System) if `/proc` is not mounted.
pub fn discover(search: Search) -> Result<Discovery> {
    let mut census = Census::new(search);
    let listed = kernel_list::read(search.kinds);
    if let Some(ids) = listed.as_ref().filter(|_| !search.holders && kernel_list::is_whole()) {
        kernel_list::add(&census, ids);
        return Ok(census.close());
    }
    let read = processes::walk(&census)?;
    mounts::walk::walk(&mut census, read);
    if let Some(ids) = listed {
        kernel_list::add(&census, &ids);
    }
    hidden::note(&census);
    Ok(census.close())
}
