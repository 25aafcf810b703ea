//! The colours of a spectrogram: viridis, in which people see the same order whatever colours they can tell apart.

use std::sync::LazyLock;

use colorgrad::Gradient;

/// Red, green and blue from the darkest to the brightest, in equal steps of level.
pub static COLOURS: LazyLock<[[u8; 3]; 256]> = LazyLock::new(|| {
    let gradient = colorgrad::preset::viridis();
    core::array::from_fn(|shade| {
        let [red, green, blue, _] = gradient.at(shade as f32 / 255.0).to_rgba8();
        [red, green, blue]
    })
});

/// All colours from left to right, dark to bright, as a CSS image. Sixteen linear pieces stand for the 255 steps.
pub fn css_gradient() -> String {
    let stops: Vec<String> = (0..=16)
        .map(|piece| {
            let [red, green, blue] = COLOURS[255 * piece / 16];
            format!("#{red:02x}{green:02x}{blue:02x}")
        })
        .collect();
    format!("linear-gradient(to right,{})", stops.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_runs_from_dark_to_bright() {
        let luminance = |[red, green, blue]: [u8; 3]| 2 * u32::from(red) + 7 * u32::from(green) + u32::from(blue);
        assert!(COLOURS.windows(2).all(|pair| luminance(pair[0]) <= luminance(pair[1]) + 4));
        let gradient = css_gradient();
        assert!(
            gradient.starts_with("linear-gradient(to right,#440154,") && gradient.ends_with(",#fee825)"),
            "{gradient}"
        );
    }
}
