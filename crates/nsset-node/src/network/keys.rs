//! Generates WireGuard keys, as text in base64.

use napi::{Env, Result};
use napi_derive::napi;
use nsset_net::{Error, SecretKey};

use crate::failure;

/// Generates a private key. Returns it and its public key.
#[napi(catch_unwind)]
pub fn generate_wireguard_keys(env: Env) -> Result<Vec<String>> {
    or_throw(env, || {
        let private = SecretKey::generate()?;
        Ok(vec![private.to_base64().clone(), private.public().to_string()])
    })
}

/// Generates a preshared key.
#[napi(catch_unwind)]
pub fn generate_wireguard_preshared_key(env: Env) -> Result<String> {
    or_throw(env, || Ok(SecretKey::generate_preshared()?.to_base64().clone()))
}

/// Returns the public key of a private key.
#[napi(catch_unwind)]
pub fn wireguard_public_key(env: Env, private_key: String) -> Result<String> {
    or_throw(env, || Ok(private_key.parse::<SecretKey>()?.public().to_string()))
}

fn or_throw<T>(env: Env, call: impl FnOnce() -> nsset_net::Result<T>) -> Result<T> {
    call().map_err(|error: Error| failure::throw_fields(env, (&error).into()))
}
