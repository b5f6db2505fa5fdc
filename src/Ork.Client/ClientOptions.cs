using Ork.Protocol;

namespace Ork.Client;

/// <summary>Where the kernel is, and how patient the client is. Durations are milliseconds.</summary>
public sealed record ClientOptions
{
    /// <summary>The kernel's endpoint.</summary>
    public required LinkEndpoint Endpoint { get; init; }

    /// <summary>The public-key hash the kernel must prove, or null for any on the network's allowlist.</summary>
    public string? KernelKey { get; init; }

    /// <summary>How the client calls itself in envelopes.</summary>
    public string Name { get; init; } = "client";

    /// <summary>How long a call may take, connecting and repeating included, unless it says otherwise.</summary>
    public long TimeoutMs { get; init; } = 30_000;

    /// <summary>Workers asked for at once where a list of them is read page by page, 1 to 1,000; a kernel may answer with fewer.</summary>
    public int WorkersPerPage { get; init; } = 1_000;

    /// <summary>First ceiling of the backoff between connections.</summary>
    public long ReconnectBaseMs { get; init; } = 50;

    /// <summary>Highest ceiling of the backoff between connections.</summary>
    public long ReconnectCapMs { get; init; } = 2_000;
}

/// <summary>All that the outside hands a client.</summary>
public sealed record ClientPorts
{
    /// <summary>The network.</summary>
    public required INetwork Network { get; init; }

    /// <summary>Ids and jitter.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>Time and timers.</summary>
    [OrkAllow(OrkEffects.Clock, "The clock of production, where no other is handed in.")]
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>The kernel refused a request, or could not be asked.</summary>
public sealed class OrkRefusedException : Exception
{
    /// <summary>A refusal as it came over the wire.</summary>
    /// <param name="error">The code with its detail.</param>
    /// <param name="message">One sentence for a person.</param>
    /// <param name="retryAfterMs">When trying again may help, in milliseconds, or null.</param>
    public OrkRefusedException(string error, string? message, long? retryAfterMs = null)
        : base(message is null ? error : $"{error} ({message})")
    {
        Error = error;
        RetryAfterMs = retryAfterMs;
    }

    /// <summary>The code with its detail.</summary>
    public string Error { get; }

    /// <summary>When trying again may help, in milliseconds, or null.</summary>
    public long? RetryAfterMs { get; }

    /// <summary>True where no kernel was asked: no link could be opened to one.</summary>
    internal bool IsUnasked { get; init; }

    /// <summary>True where the text begins with this code.</summary>
    public bool Is(ErrorCode code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return Error.StartsWith(code.Code, StringComparison.Ordinal);
    }
}
