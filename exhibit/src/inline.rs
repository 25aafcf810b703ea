//! Bytes and pictures as addresses that need no request (`data:` URLs).

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

/// The address of a file of this media type, such as `audio/wav`.
pub fn data_address(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(bytes))
}

/// The address of a PNG file of RGBA pixels, row after row from the top.
///
/// # Panics
/// If `pixels` is empty or not a whole number of rows of `width` pixels.
pub fn png_address(width: usize, pixels: &[u8]) -> String {
    let row_bytes = 4 * width;
    assert!(
        !pixels.is_empty() && row_bytes > 0 && pixels.len().is_multiple_of(row_bytes),
        "expected rows of {row_bytes} bytes, got {} bytes",
        pixels.len()
    );
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, (pixels.len() / row_bytes) as u32);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::NoFilter);
    let indexed = indexed(pixels);
    match &indexed {
        Some((palette, _)) => {
            encoder.set_color(ColorType::Indexed);
            encoder.set_palette(palette.iter().flat_map(|colour| &colour[..3]).copied().collect::<Vec<u8>>());
            encoder.set_trns(palette.iter().map(|colour| colour[3]).collect::<Vec<u8>>());
        }
        None => encoder.set_color(ColorType::Rgba),
    }
    let data = indexed.as_ref().map_or(pixels, |(_, indices)| indices);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(data)?;
        writer.finish()
    });
    written.expect("whole rows, written to memory");
    data_address("image/png", &bytes)
}

/// The colours in order, and the index of each pixel's; a file of these is a third smaller. None if there are more than
/// 256.
fn indexed(pixels: &[u8]) -> Option<(Vec<[u8; 4]>, Vec<u8>)> {
    let (pixels, _) = pixels.as_chunks::<4>();
    let mut index_of = BTreeMap::new();
    for pixel in pixels {
        index_of.insert(*pixel, 0);
        if index_of.len() > 256 {
            return None;
        }
    }
    index_of.values_mut().zip(0..=255).for_each(|(index, number)| *index = number);
    let indices = pixels.iter().map(|pixel| index_of[pixel]).collect();
    Some((index_of.into_keys().collect(), indices))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Width, height and RGBA pixels of the file at an address.
    fn decode(address: &str) -> (u32, u32, Vec<u8>) {
        let base64 = address.strip_prefix("data:image/png;base64,").expect("an address of a PNG file");
        let bytes = BASE64_STANDARD.decode(base64).expect("base64");
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::ALPHA);
        let mut reader = decoder.read_info().expect("a PNG file");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut pixels).expect("whole");
        (info.width, info.height, pixels)
    }

    #[test]
    fn a_picture_survives_the_way() {
        let few: Vec<u8> = (0..4 * 6).collect();
        let many: Vec<u8> = (0..4u32 * 300).map(|value| (value * value / 300) as u8).collect();
        assert!(indexed(&few).is_some() && indexed(&many).is_none());
        assert_eq!(decode(&png_address(3, &few)), (3, 2, few));
        assert_eq!(decode(&png_address(30, &many)), (30, 10, many));
    }

    #[test]
    #[should_panic(expected = "expected rows of 12 bytes, got 16 bytes")]
    fn pixels_that_fill_no_row_are_refused() {
        png_address(3, &[0; 16]);
    }
}
