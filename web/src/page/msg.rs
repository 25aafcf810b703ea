//! Messages to the program: what people do, and what the browser has finished.

use web::state::PageEvent;

/// A message to the page: an event for its state, or something for its shell.
#[derive(Clone)]
pub enum Msg {
    /// For the state.
    Event(PageEvent),
    /// A piece was put away: so many samples per channel of this track of this run are there.
    Stored {
        /// Number of the run.
        run: u32,
        /// Number of the track.
        track: usize,
        /// How many.
        frames: u64,
    },
    /// Files that somebody brought.
    Files(Vec<web_sys::File>),
    /// Something people want to take with them.
    Take(Souvenir),
    /// A picture is to be drawn again: its canvas has another size.
    Resized,
    /// Zoom by a factor around a place in the picture, 0 to 1; around the playhead if none.
    Zoom(f64, Option<f64>),
    /// Move what is seen by a share of its length.
    Pan(f64),
    /// Move the playhead by seconds.
    Skip(f64),
    /// A picture is done.
    Drawn,
    /// The screen is about to be drawn.
    Frame,
}

/// Something people want to take with them.
#[derive(Clone, Debug, PartialEq)]
pub enum Souvenir {
    /// The voice that is heard of this take, as a WAV file.
    Wav(u32),
    /// The results of all takes, as one archive.
    Archive,
    /// The open take as a page of its own.
    Page,
    /// The link to the page as it is.
    Link,
    /// What another page needs to show this one in it.
    Embed,
}
