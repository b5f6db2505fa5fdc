using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Effects;

/// <summary>
/// Names of the types whose members may have an effect, and of what starts exchanges. Code that mentions none of them, and nothing that holds one, has no effect by itself, and need
/// not be bound to know it.
/// </summary>
internal static class EffectNames
{
    /// <summary>What stands for a request that is sent: of the three words none says so alone.</summary>
    private static readonly string[] Request = ["Send", "FrameKind", "Request"];

    private static readonly HashSet<string> OfClockAndChance = Set("DateTime", "DateTimeOffset", "Environment", "Stopwatch", "DateAndTime", "Random", "Guid",
        "RandomNumberGenerator",
        "RNGCryptoServiceProvider", "SymmetricAlgorithm", "ActivityTraceId", "ActivitySpanId", "ConnectAsync", "OrkClient");

    /// <summary>The names for some effects.</summary>
    internal static HashSet<string> Of(Effect concern) => (concern & (Effect.Disk | Effect.Network)) == 0 ? OfClockAndChance : Outside.All;

    /// <summary>True where a member's words say together what none of them says alone.</summary>
    internal static bool SayTogether(HashSet<string> mentions) => (mentions.Contains("TimeProvider") && mentions.Contains("System")) || Request.All(mentions.Contains);

    private static HashSet<string> Set(params string[] names) => new(names, StringComparer.Ordinal);

    // Apart, so that who asks for clocks only does not make the whole table.
    private static class Outside
    {
        internal static readonly HashSet<string> All = Set([.. OfClockAndChance, .. ForbiddenApis.Table.Where(api => api.Rule == Rules.DirectIO)
            .Select(api => LastName(api.Type)).Where(name => name != "*"),
            "Socket", "TcpClient", "TcpListener", "UdpClient", "HttpClient", "NetworkStream", "SslStream", "SqliteConnection", "SqliteCommand",
                "NamedPipeClientStream", "NamedPipeServerStream",
            "MemoryMappedFile", "ClientWebSocket", "Ping"]);

        private static string LastName(string type) => type.Substring(type.LastIndexOfAny(['.', '+']) + 1).Split('`')[0];
    }
}
