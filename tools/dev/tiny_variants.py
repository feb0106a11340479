"""The tiny checkpoints of tests/model/goldens, as data: make_tiny_checkpoints.py writes them.

To add a family, add a row to VARIANTS for each way in which its arithmetic can differ.
"""

SIZES = {
    "vocab_size": 80,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GQA = {"num_key_value_heads": 2}
EXPERTS = {"num_experts": 6, "num_experts_per_tok": 3, "moe_intermediate_size": 20}

# The config as the hub has it. `new`: written again in the spelling of transformers 5. `generation`: a
# generation_config.json. `shards`, `bfloat16`, `inv_freq`, `stored_head` ("equal", "other"), `gpt2_masks`, `pickled`
# (files, written by torch.save), `mxfp4`: how weights lie. `prefix`: what stands before their names in transformers, and
# in the files. `multimodal`: the config stands in a multimodal one.
VARIANTS = {
    "llama-hub2023": {
        "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                   "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None, "pretraining_tp": 1,
                   "pad_token_id": -1, "tie_word_embeddings": False, "torch_dtype": "float32", "use_cache": True,
                   "transformers_version": "4.31.0"},
        "generation": {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": [2, 7], "pad_token_id": 0,
                       "temperature": 0.6, "top_p": 0.9, "transformers_version": "4.31.0"},
        "inv_freq": True,
    },
    "llama-gqa-tied": {"new": True, "config": {"model_type": "llama", **GQA, "tie_word_embeddings": True,
                                               "num_hidden_layers": 3}},
    "llama-tied-other-head": {"stored_head": "other", "config": {"model_type": "llama", **GQA,
                                                                 "tie_word_embeddings": True}},
    "llama-rope-llama3": {"new": True, "shards": "45KB", "config": {
        "model_type": "llama", **GQA, "rope_theta": 10000.0,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 64}}},
    "llama-rope-linear": {"config": {"model_type": "llama", **GQA, "rope_theta": 5000.0,
                                     "rope_scaling": {"type": "linear", "factor": 2.5}}},
    "llama-rope-dynamic": {"config": {"model_type": "llama", **GQA, "max_position_embeddings": 16,
                                      "rope_scaling": {"type": "dynamic", "factor": 8.0}}},
    "llama-rope-yarn": {"new": True, "config": {
        "model_type": "llama", **GQA,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32,
                         "beta_fast": 24.0, "beta_slow": 2.0, "mscale": 1.0, "mscale_all_dim": 0.8,
                         "truncate": False}}},
    "llama-head-dim": {"new": True, "config": {"model_type": "llama", **GQA, "head_dim": 12}},
    "llama-bias": {"config": {"model_type": "llama", **GQA, "attention_bias": True, "mlp_bias": True}},
    "llama-gelu": {"config": {"model_type": "llama", "num_key_value_heads": 1, "hidden_act": "gelu"}},
    "llama-gelu-tanh-bf16": {"bfloat16": True, "config": {"model_type": "llama", "torch_dtype": "bfloat16",
                                                          "hidden_act": "gelu_pytorch_tanh"}},
    "llama-pickled": {"pickled": 1, "config": {"model_type": "llama", **GQA, "tie_word_embeddings": True}},
    "mistral-window": {"config": {"model_type": "mistral", **GQA, "sliding_window": 13, "rope_theta": 10000.0,
                                  "torch_dtype": "float32"}},
    "mistral-nemo": {"new": True, "config": {"model_type": "mistral", **GQA, "head_dim": 16, "sliding_window": None,
                                             "rope_theta": 1000000.0}},
    "qwen2-tied": {"stored_head": "equal", "config": {
        "model_type": "qwen2", **GQA, "tie_word_embeddings": True, "rope_theta": 1000000.0, "sliding_window": 13,
        "use_sliding_window": False, "max_window_layers": 1, "torch_dtype": "float32"}},
    "qwen2-window": {"config": {"model_type": "qwen2", **GQA, "sliding_window": 11, "use_sliding_window": True,
                                "max_window_layers": 1, "num_hidden_layers": 3}},
    "qwen2-layer-types": {"new": True, "config": {
        "model_type": "qwen2", **GQA, "sliding_window": 9, "use_sliding_window": True, "max_window_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"]}},
    "qwen2.5-yarn": {"bfloat16": True, "config": {
        "model_type": "qwen2", **GQA, "rope_theta": 1000000.0,
        "use_sliding_window": False, "torch_dtype": "bfloat16",
        "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}}},
    "qwen3-hub": {"config": {
        "model_type": "qwen3", **GQA, "head_dim": 16, "tie_word_embeddings": True, "rope_theta": 1000000,
        "rope_scaling": None, "sliding_window": None, "use_sliding_window": False, "max_window_layers": 2,
        "attention_bias": False, "torch_dtype": "float32"}},
    "qwen3-bias": {"new": True, "config": {
        "model_type": "qwen3", **GQA, "head_dim": 8, "attention_bias": True, "sliding_window": 11,
        "use_sliding_window": True, "max_window_layers": 1}},
    "granite": {"config": {
        "model_type": "granite", **GQA, "attention_bias": False, "mlp_bias": False, "embedding_multiplier": 12.0,
        "logits_scaling": 4.0, "residual_multiplier": 0.22, "attention_multiplier": 0.25, "rope_theta": 10000.0,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "torch_dtype": "float32"}},
    "granite-bias": {"new": True, "config": {
        "model_type": "granite", **GQA, "attention_bias": True, "mlp_bias": True, "embedding_multiplier": 6.0,
        "logits_scaling": 2.0, "residual_multiplier": 0.5, "attention_multiplier": 0.5}},
    "smollm3-hub": {"config": {
        "model_type": "smollm3", **GQA, "pad_token_id": 0, "no_rope_layers": [1, 0, 1], "no_rope_layer_interval": 4,
        "num_hidden_layers": 3, "rope_theta": 5000000.0, "rope_scaling": None, "pretraining_tp": 2,
        "max_window_layers": 28, "sliding_window": None, "use_sliding_window": False, "mlp_bias": False,
        "attention_bias": False, "torch_dtype": "float32"}},
    "smollm3-window": {"new": True, "config": {
        "model_type": "smollm3", **GQA, "pad_token_id": 0, "no_rope_layer_interval": 2, "sliding_window": 9,
        "use_sliding_window": True, "tie_word_embeddings": False}},
    "olmo2": {"config": {
        "model_type": "olmo2", **GQA, "rms_norm_eps": 1e-6, "rope_theta": 500000, "rope_scaling": None,
        "attention_bias": False, "tie_word_embeddings": False, "torch_dtype": "float32"}},
    "olmo2-bias": {"new": True, "config": {"model_type": "olmo2", "attention_bias": True}},
    "phi3-hub": {"config": {
        "model_type": "phi3", "rope_theta": 10000.0, "rope_scaling": None, "sliding_window": 13,
        "original_max_position_embeddings": 128, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "rms_norm_eps": 1e-5,
        "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"}, "attention_bias": False, "pad_token_id": 0,
        "tie_word_embeddings": False, "torch_dtype": "float32"}},
    "phi3-longrope": {"config": {
        "model_type": "phi3", **GQA, "original_max_position_embeddings": 50, "pad_token_id": 0,
        "rope_scaling": {"type": "su", "original_max_position_embeddings": 50,
                         "short_factor": [1.0, 1.1, 1.3, 1.6], "long_factor": [1.5, 2.5, 4.0, 6.5]}}},
    "phi4-mini": {"new": True, "config": {
        "model_type": "phi3", **GQA, "original_max_position_embeddings": 50, "pad_token_id": 0,
        "num_attention_heads": 2, "partial_rotary_factor": 0.75, "tie_word_embeddings": True,
        "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.3, 1.6, 2.0],
                         "long_factor": [1.5, 2.5, 3.0, 4.0, 5.5, 6.5]}}},
    "mixtral-hub": {"shards": "150KB", "config": {
        "model_type": "mixtral", **GQA, "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 1000000.0,
        "sliding_window": None, "num_experts_per_tok": 2, "num_local_experts": 4, "output_router_logits": False,
        "router_aux_loss_coef": 0.02, "tie_word_embeddings": False, "torch_dtype": "float32"}},
    "mixtral": {"new": True, "config": {
        "model_type": "mixtral", "num_key_value_heads": 4, "num_local_experts": 5, "num_experts_per_tok": 3,
        "intermediate_size": 24, "sliding_window": 11, "tie_word_embeddings": True}},
    "qwen2-moe-hub": {"config": {
        "model_type": "qwen2_moe", **GQA, **EXPERTS, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
        "decoder_sparse_step": 1, "norm_topk_prob": False, "shared_expert_intermediate_size": 28,
        "max_window_layers": 2, "sliding_window": 9, "use_sliding_window": False, "output_router_logits": False,
        "router_aux_loss_coef": 0.001, "tie_word_embeddings": False, "torch_dtype": "float32"}},
    "qwen2-moe": {"new": True, "config": {
        "model_type": "qwen2_moe", **GQA, **EXPERTS, "num_hidden_layers": 4, "decoder_sparse_step": 2,
        "norm_topk_prob": True, "shared_expert_intermediate_size": 12, "use_sliding_window": True,
        "sliding_window": 9, "max_window_layers": 3, "qkv_bias": False}},
    "qwen3-moe-hub": {"config": {
        "model_type": "qwen3_moe", **GQA, **EXPERTS, "head_dim": 16, "hidden_act": "silu", "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "rope_scaling": None, "attention_bias": False, "decoder_sparse_step": 1,
        "mlp_only_layers": [], "norm_topk_prob": True, "max_window_layers": 2, "sliding_window": None,
        "use_sliding_window": False, "output_router_logits": False, "router_aux_loss_coef": 0.001,
        "tie_word_embeddings": False, "torch_dtype": "float32"}},
    "qwen3-moe": {"new": True, "config": {
        "model_type": "qwen3_moe", "num_key_value_heads": 4, **EXPERTS, "num_hidden_layers": 3, "attention_bias": True,
        "mlp_only_layers": [1], "use_sliding_window": True, "sliding_window": 13}},
    "gpt-oss-hub": {"mxfp4": True, "config": {
        "architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss", **GQA, "head_dim": 16, "hidden_act": "silu",
        "intermediate_size": 64, "num_hidden_layers": 3, "num_local_experts": 4, "num_experts_per_tok": 2,
        "experts_per_token": 2, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "sliding_window": 9, "initial_context_length": 32, "rms_norm_eps": 1e-5, "rope_theta": 150000,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
                         "original_max_position_embeddings": 32},
        "attention_bias": True, "attention_dropout": 0.0, "swiglu_limit": 7.0, "output_router_logits": False,
        "router_aux_loss_coef": 0.9, "pad_token_id": 0, "tie_word_embeddings": False}},
    "gpt-oss": {"new": True, "bfloat16": True, "config": {
        "model_type": "gpt_oss", "num_key_value_heads": 4, "head_dim": 8, "intermediate_size": 20,
        "num_local_experts": 5, "num_experts_per_tok": 3, "sliding_window": 11, "attention_bias": False,
        "layer_types": ["full_attention", "sliding_attention"], "swiglu_limit": 1.2, "swiglu_alpha": 1.4,
        "tie_word_embeddings": True, "pad_token_id": 0}},
    "gpt-oss-bare": {"config": {
        "model_type": "gpt_oss", **GQA, "head_dim": 8, "intermediate_size": 20, "num_local_experts": 4,
        "num_experts_per_tok": 2, "sliding_window": 13, "num_hidden_layers": 3}},
    "gemma-hub": {"config": {
        "model_type": "gemma", "num_key_value_heads": 1, "head_dim": 12, "hidden_act": "gelu", "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "rope_scaling": None, "pad_token_id": 0, "torch_dtype": "float32"}},
    "gemma": {"new": True, "config": {"model_type": "gemma", "num_key_value_heads": 4, "head_dim": 8,
                                      "pad_token_id": 0}},
    "gemma2-hub": {"config": {
        "model_type": "gemma2", **GQA, "head_dim": 12, "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 20, "sliding_window": 9,
        "sliding_window_size": 9, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0,
        "num_hidden_layers": 3, "cache_implementation": "hybrid", "pad_token_id": 0, "torch_dtype": "float32"}},
    "gemma2": {"new": True, "config": {
        "model_type": "gemma2", **GQA, "head_dim": 8, "sliding_window": 11, "pad_token_id": 0,
        "final_logit_softcapping": None,
        "layer_types": ["full_attention", "sliding_attention"]}},
    "gemma3-hub": {"config": {
        "model_type": "gemma3_text", **GQA, "head_dim": 12, "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": 20, "sliding_window": 9, "sliding_window_pattern": 3, "rope_theta": 1000000,
        "rope_local_base_freq": 5000, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "attn_logit_softcapping": None, "final_logit_softcapping": None, "cache_implementation": "hybrid",
        "num_hidden_layers": 3, "pad_token_id": 0, "torch_dtype": "float32"}},
    "gemma3": {"new": True, "config": {
        "model_type": "gemma3_text", **GQA, "head_dim": 8, "sliding_window": 11, "pad_token_id": 0,
        "layer_types": ["full_attention", "sliding_attention"]}},
    "gemma3-multimodal-hub": {"prefix": ["model.", "language_model.model."], "multimodal": True, "config": {
        "model_type": "gemma3_text", **GQA, "head_dim": 8, "sliding_window": 9, "num_hidden_layers": 2,
        "sliding_window_pattern": 2, "pad_token_id": 0}},
    "gemma3-multimodal": {"new": True, "prefix": ["model.", "model.language_model."], "multimodal": True, "config": {
        "model_type": "gemma3_text", **GQA, "head_dim": 8, "sliding_window": 9, "num_hidden_layers": 1,
        "pad_token_id": 0}},
    "glm4-hub": {"config": {
        "model_type": "glm4", **GQA, "head_dim": 16, "partial_rotary_factor": 0.5, "rope_theta": 10000.0,
        "attention_bias": True, "rms_norm_eps": 1e-5, "pad_token_id": 0, "torch_dtype": "float32"}},
    "glm4": {"new": True, "config": {"model_type": "glm4", **GQA, "head_dim": 8, "attention_bias": False,
                                     "tie_word_embeddings": True, "pad_token_id": 0}},
    "cohere-hub": {"config": {
        "model_type": "cohere", "logit_scale": 0.5, "layer_norm_eps": 1e-5, "rope_theta": 8000000.0,
        "use_qk_norm": False, "model_max_length": 128, "pad_token_id": 0, "torch_dtype": "float32"}},
    "cohere-bias": {"new": True, "config": {
        "model_type": "cohere", **GQA, "attention_bias": True, "tie_word_embeddings": False, "pad_token_id": 0}},
    "gpt-neox-hub": {"config": {
        "model_type": "gpt_neox", "rotary_pct": 0.5, "rotary_emb_base": 5000, "use_parallel_residual": True,
        "hidden_act": "gelu", "layer_norm_eps": 1e-5, "torch_dtype": "float32"}},
    "gpt-neox": {"new": True, "config": {
        "model_type": "gpt_neox", "num_attention_heads": 2, "rotary_pct": 0.25, "use_parallel_residual": False,
        "attention_bias": False}},
    "starcoder2-hub": {"config": {
        "model_type": "starcoder2", **GQA, "norm_epsilon": 1e-5, "rope_theta": 100000, "sliding_window": 13,
        "use_bias": True, "hidden_act": "gelu_pytorch_tanh", "mlp_type": "default", "norm_type": "layer_norm",
        "activation_function": "gelu", "layer_norm_epsilon": 1e-5, "scale_attn_weights": True,
        "attention_softmax_in_fp32": True, "torch_dtype": "float32"}},
    "starcoder2": {"new": True, "config": {"model_type": "starcoder2", **GQA, "use_bias": False,
                                           "tie_word_embeddings": False}},
    "gpt2-hub": {"prefix": ["transformer.", ""], "gpt2_masks": True, "config": {
        "model_type": "gpt2", "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-5, "n_ctx": 128, "n_embd": 32, "n_head": 4,
        "n_layer": 2, "n_positions": 128, "n_special": 0, "predict_special_tokens": True, "resid_pdrop": 0.1,
        "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
        "summary_type": "cls_index", "summary_use_proj": True}},
    "gpt2-pickled": {"pickled": 2, "bfloat16": True, "config": {
        "model_type": "gpt2", "n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 128}},
    "gpt2": {"new": True, "config": {"model_type": "gpt2", "n_embd": 32, "n_head": 4, "n_layer": 2,
                                     "n_positions": 128, "n_inner": 40, "tie_word_embeddings": False}},
}
