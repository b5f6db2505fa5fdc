using System.Diagnostics.CodeAnalysis;

namespace Ork.Protocol;

/// <summary>A stable code a caller or operator can meet, with one sentence that says what it means.</summary>
/// <param name="Code">The code as it goes over the wire, <c>ERR_...</c>.</param>
/// <param name="Sentence">One sentence for a person.</param>
public sealed record ErrorCode(string Code, string Sentence)
{
    /// <inheritdoc/>
    public override string ToString() => Code;
}

/// <summary>An <see cref="ErrorCode"/> as met in one case, with what the case adds to it.</summary>
/// <param name="Error">The code.</param>
/// <param name="Suffix">What follows the code on the wire, separator included, or null.</param>
public sealed record Refusal(ErrorCode Error, string? Suffix = null)
{
    /// <summary>The text on the wire: the code, then what the case adds.</summary>
    public string Text => Suffix is null ? Error.Code : Error.Code + Suffix;

    /// <summary>A refusal whose detail follows after a colon.</summary>
    public static Refusal With(ErrorCode error, string detail) => new(error, ": " + detail);

    /// <summary>A code without detail; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(error))]
    public static implicit operator Refusal?(ErrorCode? error) => error is null ? null : new Refusal(error);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
