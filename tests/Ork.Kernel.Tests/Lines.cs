using Microsoft.Extensions.Logging;

namespace Ork.Kernel.Tests;

/// <summary>A log that keeps its lines. The tests of the CLI compile it too.</summary>
internal sealed class Lines : ILogger
{
    internal List<string> Text { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Text.Add(formatter(state, exception));
}
