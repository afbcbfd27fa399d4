//! Pages, one in each file.

mod board;
mod ended;
mod forbidden;
#[cfg(debug_assertions)]
mod gallery;
mod home;
mod landing;
mod login;
mod logout;
mod no_server;
mod not_found;
mod not_running;
mod spawn;
mod starting;
mod user_redirect;

pub(crate) use board::Board;
#[cfg(debug_assertions)]
pub(crate) use gallery::Gallery;
pub(crate) use home::Home;
pub(crate) use login::Login;
pub(crate) use logout::Logout;
pub(crate) use no_server::NoServer;
pub(crate) use not_found::NotFound;
pub(crate) use not_running::UserPath;
pub(crate) use spawn::Spawn;
pub(crate) use starting::Starting;
pub(crate) use user_redirect::UserRedirect;
