"""The non-local block: every position looks at every other (Wang et al., CVPR 2018, section 3).

A convolution sees its neighbourhood; what is far away in space or time reaches it only through many
layers. The non-local operation sums over all positions j of the feature map at once (equation 1):

    y_i = 1/C(x) Σ_j f(x_i, x_j) g(x_j)

with one of four functions f of a pair, and the factor C(x) that belongs to it:

    gaussian            exp(x_iᵀ x_j)                       softmax over j
    embedded_gaussian   exp(θ(x_i)ᵀ φ(x_j))                 softmax over j: the Transformer's attention
    dot_product         θ(x_i)ᵀ φ(x_j)                      divided by the number of j
    concatenation       ReLU(w_fᵀ [θ(x_i), φ(x_j)])         divided by the number of j

The block adds the result to its input, z = W_z y + x (equation 6, figure 2). For 1024 × 4 × 14 × 14:

    θ, φ, g    1×1×1 to 512 channels           512 × 4 × 14 × 14
    pool       1×2×2 maximum of φ and g        512 × 4 ×  7 ×  7     if sub-sampled
    f          784 positions by 196 (784)      times g: 512 × 4 × 14 × 14
    W_z        1×1×1, then batch norm          1024 × 4 × 14 × 14    its γ starts at 0: z = x

The lecture writes the embedded Gaussian as softmax(xᵀ W_θᵀ W_φᵀ x) g(x). With W_φ transposed the product
does not exist, as W_θᵀ is C×d and W_φᵀ is too; it has to be softmax(xᵀ W_θᵀ W_φ x).
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.models.attention import AttentionMap, flat_positions

Function = Literal["gaussian", "embedded_gaussian", "dot_product", "concatenation"]


class NonLocal(nn.Module):
    """float [B, C, T, H, W] → the same shape; the identity until it is trained.

    Frames of a 2D network go in as T of one clip.

    Args:
        channels: C.
        function: f, one of the four.
        subsample: max-pool φ and g by 1×2×2, which asks a quarter of the positions.
        scale: divide what the softmax is taken of by √d, as Transformers and the authors' code do; the
            paper and the lecture do not. The functions without a softmax have no such factor.
        pool_first: pool the input of φ and g, as the authors' code does, not their outputs, as the paper
            says. It saves three quarters of both convolutions, and gives other numbers.
        inner: channels d of θ, φ and g; half of C unless stated.
        bias: whether W_z has one; the batch norm behind it makes it superfluous.

    >>> NonLocal(1024)(torch.zeros(1, 1024, 4, 14, 14)).shape
    torch.Size([1, 1024, 4, 14, 14])
    """

    def __init__(
        self,
        channels: int,
        function: Function = "embedded_gaussian",
        subsample: bool = False,
        scale: bool = False,
        pool_first: bool = False,
        inner: int | None = None,
        bias: bool = True,
    ):
        super().__init__()
        inner = inner or channels // 2
        self.function = function
        self.pool_first = pool_first
        self.theta = self.phi = nn.Identity()
        if function != "gaussian":
            self.theta = nn.Conv3d(channels, inner, 1)
            self.phi = nn.Conv3d(channels, inner, 1)
        self.g = nn.Conv3d(channels, inner, 1)
        if function == "concatenation":
            self.w_f = nn.Linear(2 * inner, 1, bias=False)
        self.w_z = nn.Conv3d(inner, channels, 1, bias=bias)
        self.norm = nn.BatchNorm3d(channels)
        self.pool = nn.MaxPool3d((1, 2, 2)) if subsample else nn.Identity()
        compared = channels if function == "gaussian" else inner
        self.factor = compared**-0.5 if scale else 1.0

        for module in self.modules():
            if isinstance(module, nn.Conv3d | nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        theta, phi, g = (rows(features) for features in self.embed(x))
        if self.function in ("gaussian", "embedded_gaussian"):
            one_head = (theta[:, None], phi[:, None], g[:, None])
            y = F.scaled_dot_product_attention(*one_head, scale=self.factor)[:, 0]
        else:
            y = self.pairs(theta, phi) @ g
        y = y.transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.norm(self.w_z(y))

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """θ(x) [B, d, T, H, W], and φ(x) and g(x), pooled if the block sub-samples."""
        if self.pool_first:
            pooled = self.pool(x)
            return self.theta(x), self.phi(pooled), self.g(pooled)
        return self.theta(x), self.pool(self.phi(x)), self.pool(self.g(x))

    def pairs(self, theta: Tensor, phi: Tensor) -> Tensor:
        """f(x_i, x_j) / C(x), float [B, Q, K], of θ [B, Q, d] and φ [B, K, d]."""
        if self.function == "dot_product":
            return theta @ phi.mT / phi.shape[1]
        if self.function == "concatenation":
            # w_fᵀ [θ_i, φ_j] = w₁ᵀ θ_i + w₂ᵀ φ_j: no table of all pairs' 2d channels is needed.
            w1, w2 = self.w_f.weight.chunk(2, dim=1)
            return F.relu(theta @ w1.mT + (phi @ w2.mT).mT) / phi.shape[1]
        return (theta @ phi.mT * self.factor).softmax(dim=-1)

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """One map: what the positions `at` (see flat_positions) take from each position of g(x)."""
        theta, phi, _ = self.embed(x)
        query_grid, key_grid = tuple(x.shape[2:]), tuple(phi.shape[2:])
        queries = flat_positions(at, query_grid).to(x.device)
        weights = self.pairs(rows(theta)[:, queries], rows(phi))
        return (AttentionMap(weights[:, None], queries, query_grid, key_grid),)


def rows(features: Tensor) -> Tensor:
    """[B, d, T, H, W] → [B, T·H·W, d]: one row a position."""
    return features.flatten(2).transpose(1, 2)
