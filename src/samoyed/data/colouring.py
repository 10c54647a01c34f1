"""AlexNet's variation of colours: along the principal components of the pixels.

Krizhevsky, A., Sutskever, I. & Hinton, G. E. (2012). ImageNet classification with deep
convolutional neural networks. NIPS 25, section 4.1: to every pixel of a picture
[p1, p2, p3] [a1 l1, a2 l2, a3 l3]^T is added, where p and l are eigenvectors and eigenvalues of the
covariance of colours, and each a is drawn once a picture from a Gaussian of standard deviation 0.1.
Natural colours change most along the first component, which is brightness.

Eigenvalues are squares of intensities, so that the rule depends on the unit: here pixels lie in
[0, 1]. The covariance is that of the batch's pixels (in the paper: of the whole training set),
which a batch of pictures estimates well. A gray picture has one component, its intensity.

Legend for shapes: B batch, C channels, H rows, W columns.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

PCA_STD = 0.1  # of each a


def covariance_of(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "C C"]:
    """Return the covariance of the channels over all pixels of all pictures."""
    pixels = pictures.transpose(0, 1).flatten(1)
    centred = pixels - pixels.mean(1, keepdim=True)
    return centred @ centred.T / pixels.shape[1]


def along_components(
    covariance: Float[Tensor, "C C"], amounts: Float[Tensor, "B C"]
) -> Float[Tensor, "B C"]:
    """Return what is added to each channel: sum_i p_i a_i l_i, the largest eigenvalue last."""
    eigenvalues, eigenvectors = torch.linalg.eigh(covariance)
    return (amounts * eigenvalues) @ eigenvectors.T


def pca_coloured(
    pictures: Float[Tensor, "B C H W"], generator: torch.Generator
) -> Float[Tensor, "B C H W"]:
    """Return pictures whose colours are moved along the principal components, kept in [0, 1]."""
    amounts = torch.randn(pictures.shape[:2], generator=generator) * PCA_STD
    added = along_components(covariance_of(pictures), amounts)
    return (pictures + added[:, :, None, None]).clamp(0, 1)
