using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace OrkSim;

/// <summary>
/// A key of scenario files. One table of them (<see cref="ScenarioKeys"/>) is what the reader, the writer, the schema, the page of keys, the drawing of runs and
/// their shrinking go by.
/// </summary>
/// <typeparam name="THost">What holds it: a scenario, or a fault of one.</typeparam>
internal interface IScenarioKey<THost>
{
    /// <summary>Where it stands: a path with dots, empty at the top.</summary>
    string Section { get; }

    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>What it means.</summary>
    string Says { get; }

    /// <summary>What it takes.</summary>
    string Takes { get; }

    /// <summary>Reads it into a host.</summary>
    /// <returns>What is wrong, or null.</returns>
    string? Read(string text, ref THost host);

    /// <summary>Writes it.</summary>
    string Write(THost host);

    /// <summary>True where two hosts say the same.</summary>
    bool IsSame(THost a, THost b);

    /// <summary>What the schema says of its value.</summary>
    JsonObject Schema();

    /// <summary>Draws one value of its range, or null where there is nothing to draw.</summary>
    Gen<Func<THost, THost>>? Draw(THost host);

    /// <summary>Smaller hosts, the boldest first.</summary>
    IEnumerable<THost> Smaller(THost host);
}

internal sealed class ScenarioKey<THost, T>(string section, string name, string says, Form<T> form, Func<THost, T> get, Func<THost, T, THost> set) : IScenarioKey<THost>
{
    public string Section => section;

    public string Name => name;

    public string Says => says;

    public string Takes => form.Takes;

    public string? Read(string text, ref THost host)
    {
        if (form.Read(text, out var value) is { } wrong) return wrong;
        host = set(host, value);
        return null;
    }

    public string Write(THost host) => form.Write(get(host));

    public bool IsSame(THost a, THost b) => EqualityComparer<T>.Default.Equals(get(a), get(b));

    public JsonObject Schema() => form.Schema();

    public Gen<Func<THost, THost>>? Draw(THost host) =>
        form.Draw?.Invoke(get(host))?.Select<T, Func<THost, THost>>(value => drawn => set(drawn, value));

    public IEnumerable<THost> Smaller(THost host) => form.Smaller(get(host)).Select(value => set(host, value));
}
