//! Lists of objects, also of those that change meanwhile.

use nix::errno::Errno;
use nsset_net::{LinkRef, Listed, Network};

use crate::{
    network::{
        list::{ListWriter, list},
        operations::caller::Caller,
        sockets::Sockets,
    },
    network_thread::failure::Failure,
};

pub async fn list_links(sockets: &Sockets, caller: Caller<'_>) -> Result<String, Failure> {
    let each = async |network: &Network, list: &mut ListWriter<'_>| network.links().each(|link| list.add(&link)).await;
    list_each(sockets, caller, each, async |network| network.links().list().await).await
}

pub async fn list_routes(sockets: &Sockets, table: Option<u32>, caller: Caller<'_>) -> Result<String, Failure> {
    let each = async |network: &Network, list: &mut ListWriter<'_>| {
        network.routes().each(table, |route| list.add(&route)).await
    };
    list_each(sockets, caller, each, async |network| network.routes().list(table).await).await
}

pub async fn list_neighbours(sockets: &Sockets, link: Option<LinkRef>, caller: Caller<'_>) -> Result<String, Failure> {
    let link = link.as_ref();
    let each = async |network: &Network, list: &mut ListWriter<'_>| {
        network.neighbours().each(link, |neighbour| list.add(&neighbour)).await
    };
    list_each(sockets, caller, each, async |network| network.neighbours().list(link).await).await
}

pub async fn list_entries(sockets: &Sockets, link: Option<LinkRef>, caller: Caller<'_>) -> Result<String, Failure> {
    let link = link.as_ref();
    let each = async |network: &Network, list: &mut ListWriter<'_>| {
        network.forwarding_entries().each(link, |entry| list.add(&entry)).await
    };
    list_each(sockets, caller, each, async |network| network.forwarding_entries().list(link).await).await
}

/// Sends objects as the kernel lists them. If they change meanwhile, lists them again.
async fn list_each<T: Listed>(
    sockets: &Sockets,
    caller: Caller<'_>,
    each: impl AsyncFn(&Network, &mut ListWriter<'_>) -> nsset_net::Result<bool>,
    objects: impl AsyncFn(&Network) -> nsset_net::Result<Vec<T>>,
) -> Result<String, Failure> {
    let mut list = ListWriter::new(caller.promised);
    if each(sockets.network().await?, &mut list).await? {
        return list.end();
    }
    Box::pin(list_of(sockets, objects)).await
}

/// Lists objects. If they change so often that no list is exact, the result is an approximation.
pub async fn list_of<T: Listed>(
    sockets: &Sockets,
    objects: impl AsyncFn(&Network) -> nsset_net::Result<Vec<T>>,
) -> Result<String, Failure> {
    let network = sockets.network().await?;
    match objects(network).await {
        Err(error) if error.errno() == Some(Errno::EAGAIN) => {
            Ok(approximation(&list(&objects(&network.tolerant()).await?)?))
        }
        outcome => list(&outcome?),
    }
}

/// Marks a list as one that the kernel never sent without changes in between.
fn approximation(list: &str) -> String {
    format!(r#"{{"consistent":false,"items":{list}}}"#)
}
