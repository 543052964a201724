/**
 * Tensors as files: reads NumPy's .npy and .npz and safetensors, writes .npy and safetensors.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.storage;

import org.jspecify.annotations.NullMarked;
