//! Recordings and bundles that somebody brings, and examples.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web::example::ExampleRecording;
use web::protocol::painter::PainterOrder;
use web::state::PageEvent;
use web_sys::{Blob, File};

use super::Shell;
use crate::files;

impl Shell {
    /// Takes files that somebody brought: bundles by their ending, all else as recordings.
    pub fn add_files(&self, given: impl IntoIterator<Item = File>) {
        for file in given {
            let name = file.name();
            match name.strip_suffix(".zip") {
                Some(stem) => self.add_bundle(stem.to_owned(), file.unchecked_into()),
                None => self.add(name, file.unchecked_into(), None),
            }
        }
    }

    fn add_bundle(&self, name: String, blob: Blob) {
        let bytes = blob.size() as usize;
        let id = {
            let mut held = self.held.borrow_mut();
            held.next_file += 1;
            let id = held.next_file;
            held.bundles.insert(id, blob);
            id
        };
        self.tell(PageEvent::Dropped { id, name, bytes });
    }

    /// Keeps a recording, and has the state take it.
    pub(super) fn add(&self, name: String, blob: Blob, example: Option<ExampleRecording>) {
        let id = {
            let mut held = self.held.borrow_mut();
            held.next_file += 1;
            let id = held.next_file;
            held.files.insert(id, blob);
            id
        };
        self.tell(PageEvent::Added { id, name, example });
    }

    /// Gets an example.
    pub(super) fn fetch(&self, example: ExampleRecording) {
        let this = self.clone();
        spawn_local(async move {
            let blob = async {
                let response = files::fetch(&format!("./{}", example.file())).await?;
                let promise = response.blob().map_err(|_| "no answer")?;
                let blob = JsFuture::from(promise).await.map_err(|_| "no answer")?;
                Ok::<Blob, String>(blob.unchecked_into())
            };
            match blob.await {
                Ok(blob) => this.add(format!("{}.wav", example.title()), blob, Some(example)),
                Err(reason) => this.tell(PageEvent::Refused(format!("The example could not be fetched: {reason}."))),
            }
        });
    }

    /// Forgets the tracks of a take, and its pictures.
    pub(super) fn forget(&self, take: u32) {
        self.store.forget(take);
        self.order(PainterOrder::Forget { take }, Vec::new());
    }
}
