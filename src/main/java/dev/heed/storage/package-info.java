/**
 * Tensor files: readers for NumPy's .npy and .npz and for safetensors, and writers for .npy and safetensors.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.storage;

import org.jspecify.annotations.NullMarked;
