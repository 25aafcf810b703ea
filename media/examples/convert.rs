//! Turns any recording into a WAV file: `cargo run -p media --example convert -- IN OUT.wav`.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;

use media::{Reader, Spec, Writer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1);
    let (Some(input), Some(output)) = (paths.next(), paths.next()) else { return Err("expected IN OUT.wav".into()) };
    let mut reader = Reader::new(File::open(input)?)?;
    let format = reader.format().clone();
    println!("{format:#?}");
    let mut writer = Writer::new(BufWriter::new(File::create(output)?), &Spec::like(&format), format.length)?;
    let mut position = 0;
    while let Some(block) = reader.read()? {
        position += block[0].len();
        writer.write(&block)?;
    }
    writer.finish()?;
    println!("{position} samples");
    for damage in reader.damage() {
        println!("{damage:?}");
    }
    Ok(())
}
