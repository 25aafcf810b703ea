//! Simulated rooms: the direct sound, the reflections, the decay.

use core::f64::consts::PI;

use crate::common::*;
use rand::RngExt;
use shared::noise::room::{SPEED_OF_SOUND, SimulatedRoom};

const RATE_HZ: u32 = 16_000;

const ROOM: SimulatedRoom =
    SimulatedRoom { size_m: [6.0, 4.0, 2.7], source_m: [2.0, 3.1, 1.5], microphone_m: [4.2, 1.3, 1.2], rt60_s: 0.4 };

fn response(room: &SimulatedRoom, rate_hz: u32) -> Vec<f32> {
    room.impulse_response(rate_hz, &mut rng(1))
}

/// Time in which the energy that is yet to come (Schroeder 1965, "New method of measuring reverberation time") falls by
/// 60 dB, from a straight line through its level between −5 and −35 dB.
fn measured_rt60(response: &[f32], rate_hz: u32) -> f64 {
    let mut left = 0.0;
    let mut levels: Vec<f64> = response
        .iter()
        .rev()
        .map(|&tap| {
            left += f64::from(tap).powi(2);
            left
        })
        .collect();
    levels.reverse();
    let total = levels[0];
    let points: Vec<(f64, f64)> = levels
        .iter()
        .enumerate()
        .map(|(i, energy)| (i as f64 / f64::from(rate_hz), 10.0 * (energy / total).log10()))
        .filter(|(_, db)| (-35.0..=-5.0).contains(db))
        .collect();
    let count = points.len() as f64;
    let mean_time = points.iter().map(|(t, _)| t).sum::<f64>() / count;
    let mean_db = points.iter().map(|(_, db)| db).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(t, db)| (t - mean_time) * (db - mean_db)).sum();
    let variance: f64 = points.iter().map(|(t, _)| (t - mean_time).powi(2)).sum();
    -60.0 * variance / covariance
}

#[test]
fn the_direct_sound_comes_first_at_its_distance() {
    // A whole number of samples away, along one axis.
    let metres = 40.0 * SPEED_OF_SOUND / f64::from(RATE_HZ);
    let room = SimulatedRoom {
        size_m: [20.0, 20.0, 20.0],
        source_m: [10.0, 10.0, 10.0],
        microphone_m: [10.0 + metres, 10.0, 10.0],
        rt60_s: 0.3,
    };
    assert!((room.distance_m() - metres).abs() < 1e-12);
    let response = response(&room, RATE_HZ);
    let expected = 1.0 / (4.0 * PI * metres);
    assert!((f64::from(response[40]) / expected - 1.0).abs() < 1e-4, "{} in place of {expected}", response[40]);
    // The nearest wall is 20 m away and back; a sinc on a whole sample leaves its neighbours alone.
    let others = response[..800].iter().enumerate().filter(|(i, _)| *i != 40);
    assert!(others.map(|(_, tap)| tap.abs()).fold(0.0, f32::max) < 1e-3 * response[40]);
}

#[test]
fn a_delay_between_samples_is_kept() {
    // The phase of a tone through the direct sound alone tells its delay to a fraction of a sample.
    for fraction in [0.0, 0.25, 0.5, 0.77] {
        let metres = (60.0 + fraction) * SPEED_OF_SOUND / f64::from(RATE_HZ);
        let room = SimulatedRoom {
            size_m: [30.0, 30.0, 30.0],
            source_m: [15.0, 15.0, 15.0],
            microphone_m: [15.0, 15.0 + metres, 15.0],
            rt60_s: 0.2,
        };
        let direct = &response(&room, RATE_HZ)[..120];
        for hz in [500.0, 3_000.0, 6_000.0] {
            let omega = core::f64::consts::TAU * hz / f64::from(RATE_HZ);
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &tap) in direct.iter().enumerate() {
                re += f64::from(tap) * (omega * (i as f64 - 60.0 - fraction)).cos();
                im += f64::from(tap) * (omega * (i as f64 - 60.0 - fraction)).sin();
            }
            let gain = re.hypot(im) * 4.0 * PI * metres;
            assert!((gain - 1.0).abs() < 0.01, "{fraction}, {hz} Hz: gain {gain}");
            assert!((im.atan2(re) / omega).abs() < 0.01, "{fraction}, {hz} Hz: {} samples", im.atan2(re) / omega);
        }
    }
}

/// The source and its mirror images along one axis, found by mirroring at one wall and the other in turn.
fn mirrored(source: f64, size: f64, most: usize) -> Vec<(f64, i32)> {
    let mut images = vec![(source, 0)];
    for mut wall in [0.0, size] {
        let mut position = source;
        for reflections in 1..=most {
            position = 2.0 * wall - position;
            wall = size - wall;
            images.push((position, reflections as i32));
        }
    }
    images
}

#[test]
fn every_mirror_image_is_there() {
    let room = SimulatedRoom { rt60_s: 0.05, ..ROOM };
    let rate_hz = 8_000;
    let response = response(&room, rate_hz);
    let reflection = room.reflection();
    let axes = [0, 1, 2].map(|axis| mirrored(room.source_m[axis], room.size_m[axis], 12));
    let mut expected = vec![0.0; response.len()];
    for (x, x_walls) in &axes[0] {
        for (y, y_walls) in &axes[1] {
            for (z, z_walls) in &axes[2] {
                let square = |position: &f64, axis: usize| (position - room.microphone_m[axis]).powi(2);
                let distance = (square(x, 0) + square(y, 1) + square(z, 2)).sqrt();
                if distance > room.distance_m() + SPEED_OF_SOUND * room.rt60_s {
                    continue;
                }
                let amplitude = (-reflection).powi(x_walls + y_walls + z_walls) / (4.0 * PI * distance);
                let position = distance / SPEED_OF_SOUND * f64::from(rate_hz);
                for (i, sample) in expected.iter_mut().enumerate() {
                    let offset = PI * (i as f64 - position);
                    if offset.abs() < 16.0 * PI {
                        *sample += amplitude * (0.5 + 0.5 * (offset / 16.0).cos()) * offset.sin() / offset;
                    }
                }
            }
        }
    }
    let expected: Vec<f32> = expected.into_iter().map(|sample| sample as f32).collect();
    let peak = expected.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    assert_close(&response, &expected, 1e-3 * peak);
}

#[test]
fn walls_reflect_less_than_eyring_says() {
    // His mean over all directions, with which decays would be too long by what the slower ones take.
    for rt60_s in [0.2, 1.0] {
        let room = SimulatedRoom { rt60_s, ..ROOM };
        let [x, y, z] = room.size_m;
        let eyring = (-24.0 * 10f64.ln() / SPEED_OF_SOUND * x * y * z / (4.0 * (x * y + y * z + z * x) * rt60_s)).exp();
        let (ours, his) = (-room.reflection().ln(), -eyring.ln());
        assert!((1.0..1.5).contains(&(ours / his)), "{ours} and {his}");
    }
    assert!((0.999..1.0).contains(&SimulatedRoom { rt60_s: 1e3, ..ROOM }.reflection()));
}

#[test]
fn sound_decays_in_the_time_that_was_asked_for() {
    for (size_m, rt60_s) in [
        ([6.0, 4.0, 2.7], 0.2),
        ([6.0, 4.0, 2.7], 0.5),
        ([6.0, 4.0, 2.7], 1.2),
        ([10.0, 8.0, 4.0], 0.8),
        ([5.0, 5.0, 5.0], 0.4),
        ([3.0, 2.5, 2.4], 0.3),
        ([2.0, 2.0, 2.2], 1.5),
        ([20.0, 15.0, 8.0], 2.0),
    ] {
        for seed in 0..4 {
            let mut random = rng(seed);
            let mut place = || size_m.map(|size: f64| size * random.random_range(0.2..0.8));
            let room = SimulatedRoom { size_m, source_m: place(), microphone_m: place(), rt60_s };
            let got = measured_rt60(&response(&room, RATE_HZ), RATE_HZ);
            println!("{size_m:?}, {rt60_s} s: {got:.3} s, {:+.0} %", 100.0 * (got / rt60_s - 1.0));
            assert!((got / rt60_s - 1.0).abs() < 0.08, "{size_m:?}, {rt60_s} s: {got} s");
        }
    }
}

#[test]
fn the_filter_leaves_the_direct_sound_where_it_was() {
    let far = SimulatedRoom { size_m: [12.0; 3], source_m: [6.0; 3], microphone_m: [6.3, 6.4, 6.5], rt60_s: 0.3 };
    for rate_hz in [4_000, 16_000, 44_100] {
        let fir = far.filter(rate_hz, &mut rng(1));
        let mut impulse = vec![0.0; 500];
        impulse[200] = 1.0;
        let output = fir.apply(&impulse);
        assert!((output[200] - 1.0).abs() < 1e-3, "{}", output[200]);
        assert!(output[..180].iter().all(|sample| sample.abs() < 1e-4));
    }
}

#[test]
fn any_room_can_be_simulated() {
    // What is beyond the images is filled up, and nothing takes forever.
    for (size_m, rt60_s) in [([1.0, 1.0, 1.0], 4.0), ([50.0, 1.0, 1.0], 4.0), ([50.0; 3], 4.0), ([50.0; 3], 0.05)] {
        for at in [[0.0; 3], [0.5, 0.5, 0.5], size_m] {
            let room = SimulatedRoom { size_m, source_m: at, microphone_m: [0.5, 0.5, 0.5], rt60_s };
            let response = response(&room, 4_000);
            assert!(response.iter().all(|tap| tap.is_finite()));
            assert!(response.len() < 4 * 4_000 + 2_000);
        }
    }
}
