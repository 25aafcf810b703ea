//! Bytes and pictures as addresses that need no request (`data:` URLs).

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
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::NoFilter);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    written.expect("whole rows, written to memory");
    data_address("image/png", &bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_picture_survives_the_way() {
        let pixels: Vec<u8> = (0..4 * 6).collect();
        let address = png_address(3, &pixels);
        let base64 = address.strip_prefix("data:image/png;base64,").expect("an address of a PNG file");
        let bytes = BASE64_STANDARD.decode(base64).expect("base64");
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().expect("a PNG file");
        let mut decoded = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut decoded).expect("whole");
        assert_eq!((info.width, info.height, decoded), (3, 2, pixels));
    }

    #[test]
    #[should_panic(expected = "expected rows of 12 bytes, got 16 bytes")]
    fn pixels_that_fill_no_row_are_refused() {
        png_address(3, &[0; 16]);
    }
}
