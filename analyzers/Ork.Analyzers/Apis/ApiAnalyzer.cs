using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Ork.Analyzers.Apis;

/// <summary>Reports the APIs of the table wherever their use is forbidden: called, read, made, or handed on as a delegate.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ApiAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(
        Rules.WallClock, Rules.Randomness, Rules.Escape, Rules.DirectIO, Rules.Order, Rules.Blocking, Rules.Unmodelled, Rules.Unbounded);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var check = new Check(new RoleReader());
            start.RegisterOperationAction(
                check.Use, OperationKind.Invocation, OperationKind.PropertyReference, OperationKind.ObjectCreation, OperationKind.MethodReference, OperationKind.Lock);
            start.RegisterSymbolAction(check.Declaration, SymbolKind.NamedType);
        });
    }

    private sealed class Check(RoleReader roles)
    {
        private static readonly ILookup<string, ForbiddenApi> Table = ForbiddenApis.Table.ToLookup(api => api.Type);

        private readonly ConcurrentDictionary<INamedTypeSymbol, ImmutableArray<ForbiddenApi>> _byType = new(SymbolEqualityComparer.Default);

        internal void Use(OperationAnalysisContext context)
        {
            if (context.Operation is ILockOperation locks)
            {
                UseLock(context, locks);
                return;
            }

            ISymbol? member = context.Operation switch
            {
                IInvocationOperation invocation => invocation.TargetMethod,
                IPropertyReferenceOperation property => property.Property,
                IObjectCreationOperation creation => creation.Constructor,
                IMethodReferenceOperation reference => reference.Method,
                _ => null,
            };
            if (member?.ContainingType is not { } type) return;
            UseNative(context, member);
            var entries = EntriesOf(type.OriginalDefinition);
            if (entries.IsEmpty) return;
            var use = new ApiUse(context.Operation, member);
            var name = member is IMethodSymbol { MethodKind: MethodKind.Constructor } ? ".ctor" : member.Name;
            foreach (var entry in entries)
            {
                if (!entry.Names(name) || (entry.Roles & roles.Of(context.ContainingSymbol)) == 0 || entry.When?.Invoke(use) == false
                    || InNameOf(context.Operation)) continue;
                context.ReportDiagnostic(Diagnostic.Create(entry.Rule.Descriptor, context.Operation.Syntax.GetLocation(), Display(member), entry.Instead));
            }
        }

        /// <summary>A class of synchronization contexts: Coyote schedules tasks itself.</summary>
        internal void Declaration(SymbolAnalysisContext context)
        {
            var type = (INamedTypeSymbol)context.Symbol;
            if (type.BaseType is { Name: "SynchronizationContext", ContainingNamespace.Name: "Threading" } && (Rules.Unmodelled.Roles & roles.Of(type)) != 0)
            {
                context.ReportDiagnostic(Diagnostic.Create(
                    Rules.Unmodelled.Descriptor, type.Locations[0], $"{type.Name}, a SynchronizationContext", "leave scheduling to the simulation"));
            }
        }

        private void UseLock(OperationAnalysisContext context, ILockOperation locks)
        {
            var type = Uses.Unwrap(locks.LockedValue).Type;
            if (type is not { Name: "Lock", ContainingNamespace.Name: "Threading" } || (Rules.Unmodelled.Roles & roles.Of(context.ContainingSymbol)) == 0) return;
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.Unmodelled.Descriptor, locks.LockedValue.Syntax.GetLocation(), "System.Threading.Lock", "use lock on an object"));
        }

        /// <summary>Native code is the outside, whatever it does.</summary>
        private void UseNative(OperationAnalysisContext context, ISymbol member)
        {
            if (member is IMethodSymbol { IsExtern: true } method && method.GetDllImportData() is not null
                && (Rules.DirectIO.Roles & roles.Of(context.ContainingSymbol)) != 0)
                context.ReportDiagnostic(Diagnostic.Create(Rules.DirectIO.Descriptor, context.Operation.Syntax.GetLocation(), Display(member),
                    "let a port of the kernel do it"));
        }

        private ImmutableArray<ForbiddenApi> EntriesOf(INamedTypeSymbol type) => _byType.GetOrAdd(type, static of =>
        {
            var space = of.ContainingNamespace?.ToDisplayString() ?? "";
            var name = of.MetadataName;
            for (var outer = of.ContainingType; outer is not null; outer = outer.ContainingType) name = $"{outer.MetadataName}+{name}";
            return [.. Table[$"{space}.{name}"], .. IsData(of) ? [] : Table[$"{space}.*"]];
        });

        /// <summary>Enums, exceptions and event arguments of a forbidden namespace do nothing by themselves.</summary>
        private static bool IsData(INamedTypeSymbol type)
        {
            if (type.TypeKind is TypeKind.Enum or TypeKind.Delegate) return true;
            for (var at = type; at is not null; at = at.BaseType)
            {
                if (at.Name is "Exception" or "EventArgs" or "Attribute") return true;
            }

            return false;
        }

        private static bool InNameOf(IOperation operation)
        {
            for (var at = operation.Parent; at is not null; at = at.Parent)
            {
                if (at is INameOfOperation) return true;
            }

            return false;
        }

        private static string Display(ISymbol member) => member is IMethodSymbol { MethodKind: MethodKind.Constructor }
            ? $"new {member.ContainingType.Name}" : $"{member.ContainingType.Name}.{member.Name}";
    }
}
