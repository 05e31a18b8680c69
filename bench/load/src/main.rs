//! Load generator and echo server for the benchmark (`npm run bench`): one thread, one readiness set, hand-written
//! frames, every reply checked. `websocket-load --help` says how it is used.

mod client;
mod connect;
mod deflate;
mod echo;
mod error;
mod frame;
mod handshake;
mod options;
mod payload;
mod report;
mod server;
mod stream;

use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use options::{Mode, Options};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("websocket-load: {error}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    raise_file_limit();
    let outcome = match options.mode {
        Mode::Echo => echo::run(&options),
        Mode::Broadcast => echo::run_broadcast(&options),
        Mode::Topics => echo::run_topics(&options),
        Mode::Connect => connect::run(&options),
        Mode::Idle => connect::run_idle(&options),
        Mode::Serve => server::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("websocket-load: {error}");
            // 3: there is nothing wrong with the replies, the server just cannot do this.
            if matches!(error, error::Error::Refused(_)) { ExitCode::from(3) } else { ExitCode::FAILURE }
        }
    }
}

/// Allows as many connections as the system lets us. Where it does not, opening the first one too many says so.
fn raise_file_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
    }
}
