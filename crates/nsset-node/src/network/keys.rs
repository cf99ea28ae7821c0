//! Keys of WireGuard, as their text.

use napi::{Env, Result};
use napi_derive::napi;
use nsset_net::{Error, SecretKey};

use crate::failure;

/// A new private key, and its public key.
#[napi(catch_unwind)]
pub fn generate_wireguard_keys(env: Env) -> Result<Vec<String>> {
    told(env, || {
        let private = SecretKey::generate()?;
        Ok(vec![private.to_base64().clone(), private.public().to_string()])
    })
}

/// A new preshared key.
#[napi(catch_unwind)]
pub fn generate_wireguard_preshared_key(env: Env) -> Result<String> {
    told(env, || Ok(SecretKey::generate_preshared()?.to_base64().clone()))
}

/// The public key of a private one.
#[napi(catch_unwind)]
pub fn wireguard_public_key(env: Env, private_key: String) -> Result<String> {
    told(env, || Ok(private_key.parse::<SecretKey>()?.public().to_string()))
}

fn told<T>(env: Env, call: impl FnOnce() -> nsset_net::Result<T>) -> Result<T> {
    call().map_err(|error: Error| failure::throw_fields(env, (&error).into()))
}
