"""The exercises that interviewers like to ask for: a function that one writes on a board in the time one has there."""

ASKED = frozenset(
    (
        *("add_multiply", "linear", "softmax", "log_softmax", "cross_entropy", "numerical_gradient", "dropout", "tape"),
        *("gelu", "layer_norm", "layer_norm_torch", "batch_norm_backward", "training_loop_torch"),
        *("multi_head_attention_torch", "scaled_dot_product_attention", "scaled_dot_product_attention_torch"),
        *("split_heads", "merge", "multi_head_attention", "causal_mask", "sinusoidal_positions", "decode_step"),
        *("rnn_step", "rnn_backward", "lstm_step", "sgd", "adam", "clip_by_global_norm", "draw", "embedding"),
        *("xavier_he", "adamw_step_torch"),
        *("conv2d", "im2col", "max_pool2d", "random_crop", "padding_mask", "greedy_decoding", "beam_search"),
        *("smoothed_loss", "warmup_schedule", "generate_with_cache"),
    )
)
