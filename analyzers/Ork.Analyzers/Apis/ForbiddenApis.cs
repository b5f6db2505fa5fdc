namespace Ork.Analyzers.Apis;

/// <summary>Every API that is forbidden by its name, rule by rule. Rules that need more than a name have analyzers of their own.</summary>
internal static class ForbiddenApis
{
    private const string UseTime = "use the TimeProvider that is handed in";
    private const string UseEntropy = "use the IEntropy that is handed in";
    private const string PassTime = "pass the TimeProvider that is handed in";
    private const string StayOnTheLoop = "call it directly, or await it";
    private const string Await = "await it";
    private const string UsePort = "let a port of the kernel do it";

    private const Roles Shell = Roles.Worker | Roles.Caller | Roles.Simulation;

    /// <summary>The table.</summary>
    internal static IReadOnlyList<ForbiddenApi> Table { get; } =
    [
        .. Clocks(), .. Chance(), .. Escapes(), .. Outside(), .. Orders(), .. Waits(), .. Unmodelled(), .. Growth(),
    ];

    private static ForbiddenApi[] Clocks() =>
    [
        new(Rules.WallClock, "System.DateTime", ["Now", "UtcNow", "Today"], UseTime),
        new(Rules.WallClock, "System.DateTimeOffset", ["Now", "UtcNow"], UseTime),
        new(Rules.WallClock, "System.TimeProvider", ["System"], UseTime),
        new(Rules.WallClock, "System.TimeProvider", ["GetUtcNow", "GetTimestamp", "CreateTimer"], "answer it from the virtual time") { When = Uses.OnBase },
        new(Rules.WallClock, "System.Environment", ["TickCount", "TickCount64"], UseTime),
        new(Rules.WallClock, "System.Diagnostics.Stopwatch",
            [".ctor", "StartNew", "GetTimestamp", "Start", "Restart", "Stop", "Elapsed", "ElapsedMilliseconds", "ElapsedTicks"],
                "use TimeProvider.GetTimestamp and GetElapsedTime"),
        new(Rules.WallClock, "System.Diagnostics.Stopwatch", ["GetElapsedTime"], "use TimeProvider.GetElapsedTime") { When = Uses.WithOneArgument },
        new(Rules.WallClock, "Microsoft.VisualBasic.DateAndTime", ["Now", "Today", "TimeOfDay", "Timer"], UseTime),
    ];

    private static ForbiddenApi[] Chance() =>
    [
        new(Rules.Randomness, "System.Random", [".ctor"], UseEntropy) { When = Uses.WithoutSeed },
        new(Rules.Randomness, "System.Random", [".ctor"], UseEntropy) { When = use => !Uses.WithoutSeed(use), Only = Roles.Kernel | Roles.Worker },
        new(Rules.Randomness, "System.Random", ["Shared"], UseEntropy),
        new(Rules.Randomness, "System.Guid", ["NewGuid", "CreateVersion7"], "use IEntropy.NextId"),
        new(Rules.Randomness, "System.Security.Cryptography.RandomNumberGenerator", [], UseEntropy) { Except = ["Dispose"] },
        new(Rules.Randomness, "System.Security.Cryptography.RNGCryptoServiceProvider", [], UseEntropy),
        new(Rules.Randomness, "System.Security.Cryptography.SymmetricAlgorithm", ["GenerateKey", "GenerateIV"], UseEntropy),
        new(Rules.Randomness, "System.IO.Path", ["GetRandomFileName", "GetTempFileName"], UseEntropy),
        new(Rules.Randomness, "System.Linq.Enumerable", ["Shuffle"], "shuffle by IEntropy"),
        new(Rules.Randomness, "System.Diagnostics.ActivityTraceId", ["CreateRandom"], UseEntropy),
        new(Rules.Randomness, "System.Diagnostics.ActivitySpanId", ["CreateRandom"], UseEntropy),
    ];

    private static ForbiddenApi[] Escapes() =>
    [
        new(Rules.Escape, "System.Threading.Tasks.Task", ["Run"], StayOnTheLoop),
        new(Rules.Escape, "System.Threading.Tasks.TaskFactory", ["StartNew"], StayOnTheLoop) { When = Uses.WithoutScheduler },
        new(Rules.Escape, "System.Threading.Tasks.TaskFactory`1", ["StartNew"], StayOnTheLoop) { When = Uses.WithoutScheduler },
        new(Rules.Escape, "System.Threading.Tasks.TaskFactory", ["ContinueWhenAll", "ContinueWhenAny"], Await) { When = Uses.WithoutScheduler },
        new(Rules.Escape, "System.Threading.Tasks.Task", ["Start"], StayOnTheLoop) { When = Uses.WithoutScheduler },
        new(Rules.Escape, "System.Threading.Tasks.Task", ["ContinueWith"], Await) { When = Uses.WithoutScheduler },
        new(Rules.Escape, "System.Threading.Tasks.Task`1", ["ContinueWith"], Await) { When = Uses.WithoutScheduler },
        new(Rules.Escape, "System.Threading.ThreadPool", [], StayOnTheLoop),
        new(Rules.Escape, "System.Threading.Thread", [".ctor", "Start", "UnsafeStart"], StayOnTheLoop),
        new(Rules.Escape, "System.Threading.Timer", [".ctor"], "use TimeProvider.CreateTimer"),
        new(Rules.Escape, "System.Timers.Timer", [".ctor"], "use TimeProvider.CreateTimer"),
        new(Rules.Escape, "System.Threading.Tasks.Parallel", [], "loop, or await Task.WhenAll over an array"),
        new(Rules.Escape, "System.ComponentModel.BackgroundWorker", [".ctor", "RunWorkerAsync"], StayOnTheLoop),
        .. EachOf(
            ["System.Threading.Tasks.Task", "System.Threading.Tasks.Task`1", "System.Threading.Tasks.ValueTask", "System.Threading.Tasks.ValueTask`1",
             "System.Threading.Tasks.TaskAsyncEnumerableExtensions", "System.Runtime.CompilerServices.ConfiguredCancelableAsyncEnumerable`1"],
            type => new(Rules.Escape, type, ["ConfigureAwait"], "remove it") { When = Uses.TakesBoolean }),
        .. EachOf(["System.Threading.Tasks.Task", "System.Threading.Tasks.Task`1"],
            type => new(Rules.Escape, type, ["ConfigureAwait"], "remove it") { When = Uses.OptionsLeaveTheContext, Only = Roles.Simulation }),
        new(Rules.Escape, "System.Threading.Tasks.Task", ["Delay"], PassTime) { When = Uses.WithoutTimeProvider },
        new(Rules.Escape, "System.Threading.Tasks.Task", ["WaitAsync"], PassTime) { When = Uses.WithTimeoutButNoTimeProvider },
        new(Rules.Escape, "System.Threading.Tasks.Task`1", ["WaitAsync"], PassTime) { When = Uses.WithTimeoutButNoTimeProvider },
        new(Rules.Escape, "System.Threading.Tasks.Task", ["WhenEach"], "await Task.WhenAny over an array"),
        new(Rules.Escape, "System.Threading.CancellationTokenSource", [".ctor"], PassTime) { When = Uses.WithDelayButNoTimeProvider },
        new(Rules.Escape, "System.Threading.CancellationTokenSource", ["CancelAfter"], "cancel from TimeProvider.CreateTimer"),
        new(Rules.Escape, "System.Threading.CancellationTokenSource", ["CancelAsync"], "use Cancel"),
        new(Rules.Escape, "System.Threading.PeriodicTimer", [".ctor"], PassTime) { When = Uses.WithDelayButNoTimeProvider },
        new(Rules.Escape, "System.Threading.Channels.Channel", ["CreateUnbounded", "CreateBounded", "CreateUnboundedPrioritized"], "use Mailbox")
        {
            When = Uses.ContinuesInThePool,
        },
        new(Rules.Escape, "System.Threading.SemaphoreSlim", ["WaitAsync"], "wait without a token or timeout") { When = Uses.MayEndEarly },
        new(Rules.Escape, "System.IO.File", [], "keep files in an assembly of role Edge") { When = Uses.IsAsync, Only = Shell },
        new(Rules.Escape, "System.IO.RandomAccess", [], "keep files in an assembly of role Edge") { When = Uses.IsAsync, Only = Shell },
        new(Rules.Escape, "System.Threading.SynchronizationContext", ["SetSynchronizationContext"], "leave the scheduler in place") { Only = Roles.Production },
    ];

    private static ForbiddenApi[] Outside() =>
    [
        .. EachOf(
            ["System.IO.File", "System.IO.Directory", "System.IO.FileInfo", "System.IO.DirectoryInfo", "System.IO.FileStream", "System.IO.DriveInfo",
                "System.IO.FileSystemWatcher",
             "System.IO.RandomAccess", "System.IO.FileSystemInfo", "System.IO.MemoryMappedFiles.*", "System.IO.Pipes.*", "System.IO.IsolatedStorage.*",
                 "System.IO.Ports.*"],
            type => new(Rules.DirectIO, type, [], UsePort)),
        .. EachOf(["System.IO.StreamReader", "System.IO.StreamWriter"], type => new(Rules.DirectIO, type, [".ctor"], UsePort) { When = Uses.OpensAPath }),
        new(Rules.DirectIO, "System.IO.Path", ["GetTempPath", "GetTempFileName", "GetFullPath", "Exists"], UsePort),
        new(Rules.DirectIO, "System.Console", [], "tell the IKernelObserver"),
        new(Rules.DirectIO, "System.Diagnostics.Trace", [], "tell the IKernelObserver") { Except = ["Assert", "Fail"] },
        new(Rules.DirectIO, "System.Diagnostics.Process", [], UsePort),
        new(Rules.DirectIO, "System.Environment", [], UsePort) { Except = ["NewLine", "TickCount", "TickCount64"] },
        new(Rules.DirectIO, "System.AppContext", [], UsePort),
        new(Rules.DirectIO, "System.AppDomain", [], UsePort),
        new(Rules.DirectIO, "System.TimeZoneInfo", ["Local"], "reckon in UTC"),
        new(Rules.DirectIO, "System.DateTime", ["ToLocalTime"], "reckon in UTC"),
        new(Rules.DirectIO, "System.DateTimeOffset", ["ToLocalTime", "LocalDateTime"], "reckon in UTC"),
        new(Rules.DirectIO, "System.GC", [], UsePort) { Except = ["KeepAlive", "SuppressFinalize", "ReRegisterForFinalize", "AllocateUninitializedArray",
            "AllocateArray"] },
        new(Rules.DirectIO, "System.Runtime.InteropServices.RuntimeInformation", [], UsePort),
        new(Rules.DirectIO, "System.Runtime.InteropServices.NativeLibrary", [], UsePort),
        .. EachOf(["System.Net.Sockets.*", "System.Net.Http.*", "System.Net.WebSockets.*", "System.Net.Mail.*", "System.Net.NetworkInformation.*",
            "System.Net.Security.*", "System.Net.Quic.*"],
            space => new(Rules.DirectIO, space, [], "use the INetwork that is handed in")),
        .. EachOf(["System.Net.Dns", "System.Net.WebClient", "System.Net.WebRequest", "System.Net.HttpWebRequest", "System.Net.HttpListener", "System.Net.FtpWebRequest"],
            type => new(Rules.DirectIO, type, [], "use the INetwork that is handed in")),
        .. EachOf(["System.Data.*", "System.Data.Common.*", "Microsoft.Data.Sqlite.*", "Microsoft.Data.SqlClient.*", "Microsoft.Win32.*"],
            space => new(Rules.DirectIO, space, [], "use the IKernelStore that is handed in")),
    ];

    private static ForbiddenApi[] Orders() =>
    [
        new(Rules.Order, "System.Linq.ParallelEnumerable", ["AsParallel", "Range", "Repeat"], "use LINQ"),
    ];

    private static ForbiddenApi[] Waits() =>
    [
        new(Rules.Blocking, "System.Threading.Tasks.Task", ["Wait"], Await) { When = Completion.IsNotKnown },
        new(Rules.Blocking, "System.Threading.Tasks.Task", ["WaitAll", "WaitAny"], "await Task.WhenAll or WhenAny"),
        .. EachOf(["System.Threading.Tasks.Task`1", "System.Threading.Tasks.ValueTask`1"], type =>
            new(Rules.Blocking, type, ["Result"], Await) { When = Completion.IsNotKnown }),
        .. EachOf(
            ["System.Runtime.CompilerServices.TaskAwaiter", "System.Runtime.CompilerServices.TaskAwaiter`1", "System.Runtime.CompilerServices.ValueTaskAwaiter",
             "System.Runtime.CompilerServices.ValueTaskAwaiter`1"],
            type => new(Rules.Blocking, type, ["GetResult"], Await) { When = Completion.IsNotKnown }),
        .. EachOf(
            ["System.Runtime.CompilerServices.ConfiguredTaskAwaitable+ConfiguredTaskAwaiter",
                "System.Runtime.CompilerServices.ConfiguredTaskAwaitable`1+ConfiguredTaskAwaiter",
             "System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable+ConfiguredValueTaskAwaiter",
             "System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable`1+ConfiguredValueTaskAwaiter"],
            type => new(Rules.Blocking, type, ["GetResult"], Await) { When = Completion.IsNotKnown }),
        new(Rules.Blocking, "System.Threading.Thread", ["Sleep"], "await Task.Delay with the TimeProvider"),
        new(Rules.Blocking, "System.Threading.Thread", ["Join"], "await the end of its work"),
        new(Rules.Blocking, "System.Threading.SpinWait", ["SpinUntil"], Await),
        new(Rules.Blocking, "System.Threading.WaitHandle", ["WaitOne", "WaitAll", "WaitAny", "SignalAndWait"], "await a TaskCompletionSource"),
        new(Rules.Blocking, "System.Threading.ManualResetEventSlim", ["Wait"], "await a TaskCompletionSource"),
        new(Rules.Blocking, "System.Threading.SemaphoreSlim", ["Wait"], "await WaitAsync"),
        new(Rules.Blocking, "System.Threading.CountdownEvent", ["Wait"], Await),
        new(Rules.Blocking, "System.Threading.Barrier", ["SignalAndWait"], Await),
        new(Rules.Blocking, "System.Threading.Monitor", ["Wait"], "await a TaskCompletionSource"),
        new(Rules.Blocking, "System.Collections.Concurrent.BlockingCollection`1",
            ["Take", "TryTake", "Add", "GetConsumingEnumerable", "TakeFromAny", "AddToAny"], "use Mailbox"),
        new(Rules.Blocking, "System.Diagnostics.Process", ["WaitForExit", "WaitForInputIdle"], "await WaitForExitAsync"),
        new(Rules.Blocking, "System.Threading.Tasks.Task", ["RunSynchronously"], Await),
    ];

    private static ForbiddenApi[] Unmodelled() =>
    [
        new(Rules.Unmodelled, "System.Threading.Lock", [".ctor", "Enter", "TryEnter", "EnterScope", "Exit"], "use lock on an object"),
        new(Rules.Unmodelled, "System.Threading.Tasks.Task", ["WhenAll", "WhenAny"], "pass an array, not bare arguments") { When = Uses.TakesSpan },
        new(Rules.Unmodelled, "System.Threading.Tasks.Task", ["ConfigureAwait"], "remove it") { When = Uses.TakesOptions },
        new(Rules.Unmodelled, "System.Threading.Tasks.Task`1", ["ConfigureAwait"], "remove it") { When = Uses.TakesOptions },
        new(Rules.Unmodelled, "System.Threading.Monitor", ["TryEnter"], "enter without a timeout") { When = Uses.WithTimeout },
        new(Rules.Unmodelled, "System.Threading.ManualResetEventSlim", [".ctor", "Wait", "Set"], "use TaskCompletionSource"),
        new(Rules.Unmodelled, "System.Threading.ReaderWriterLockSlim",
            [".ctor", "EnterReadLock", "EnterWriteLock", "EnterUpgradeableReadLock", "TryEnterReadLock", "TryEnterWriteLock"],
            "use lock on an object"),
        new(Rules.Unmodelled, "System.Threading.PeriodicTimer", [".ctor"], "loop over Task.Delay with the TimeProvider") { When = Uses.WithTimeProvider },
        new(Rules.Unmodelled, "System.Threading.Channels.Channel", ["CreateUnbounded", "CreateBounded", "CreateUnboundedPrioritized"],
            "use Mailbox") { When = Uses.ContinuesInline },
        new(Rules.Unmodelled, "System.Lazy`1", [".ctor"], "make it where it is first needed, under lock") { When = Uses.FactoryWaits },
        new(Rules.Unmodelled, "Stateless.StateMachine`2", ["FireAsync", "ActivateAsync", "DeactivateAsync"], "use Fire"),
    ];

    private static ForbiddenApi[] Growth() =>
    [
        new(Rules.Unbounded, "System.Threading.Channels.Channel", ["CreateUnbounded", "CreateUnboundedPrioritized"], "give it a bound, and refuse beyond"),
        new(Rules.Unbounded, "System.Threading.Channels.Channel", ["CreateBounded"], "give it a bound, and refuse beyond") { When = Uses.BoundIsNone },
        new(Rules.Unbounded, "System.Collections.Concurrent.BlockingCollection`1", [".ctor"], "give it a bound, and refuse beyond")
        {
            When = use => Uses.TakesNoBound(use) || Uses.BoundIsNone(use),
        },
        new(Rules.Unbounded, "Ork.Kernel.Mailbox`1", [".ctor"], "give it a bound, and refuse beyond") { When = Uses.BoundIsNone },
    ];

    private static IEnumerable<ForbiddenApi> EachOf(string[] types, Func<string, ForbiddenApi> entry) => Array.ConvertAll(types, entry.Invoke);
}
