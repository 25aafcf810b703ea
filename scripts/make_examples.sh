#!/usr/bin/env bash
# Speaks the page's examples with Flite (Debian's package `flite`): nobody's recordings.
set -euo pipefail
cd "$(dirname "$0")/../web/public/examples"
flite -voice slt -o letter.wav -t \
  "I am writing to you from the end of the garden. The wind has dropped, and for once one can hear oneself think."
flite -voice rms -o weather.wav -t \
  "Tomorrow begins with fog along the river. Towards noon it clears, and in the evening there may be a little rain."
