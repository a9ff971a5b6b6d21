"""The exercises of the decoder, easiest first."""

from groundup.lessons.tiny_decoder.exercises_cache import DECODE_STEP
from groundup.lessons.tiny_decoder.exercises_generate import GENERATE
from groundup.lessons.tiny_decoder.exercises_norm import LAYER_NORM
from groundup.lessons.tiny_decoder.exercises_positions import CAUSAL_MASK, SINUSOIDS

EXERCISES = (CAUSAL_MASK, SINUSOIDS, LAYER_NORM, GENERATE, DECODE_STEP)
